//! The loader from outside: what a scenario file means, and what is said about a broken one.

use scenarios::{Model, Problem, Source};

struct Folder(&'static [(&'static str, &'static str)], String);

impl Source for Folder {
    fn read(&self, path: &str) -> Result<String, String> {
        if path == "test.ron" {
            return Ok(self.1.clone());
        }
        let found = self.0.iter().find(|(name, _)| *name == path);
        found.map(|(_, text)| text.to_string()).ok_or("No such file or directory".to_string())
    }
}

const FILES: &[(&str, &str)] = &[
    ("files/rs5.sh", "ip addr add 172.25.92.100/32 dev lo\n"),
    ("files/rs6.sh", "ip addr add 172.25.92.100/32 dev lo\n"),
    ("files/page5.html", "<h1>www.test.com</h1>\n"),
    ("files/page6.html", "<h1>bbs.test.com</h1>\n"),
];

const GOOD: &str = r##"Scenario(
    title: "LVS-DR behind a router, two real servers",
    about: "Who answers for the VIP, and why the reply never passes the director.",
    seed: 1, until: "12s",
    link: (rate: "1Gbit", delay: "50us"),
    switches: { "outside": (), "lan": (mac_aging: "300s") },
    hosts: {
        "client":  (role: Client, gateway: "172.25.254.1", nics: { "eth0": (to: "outside", address: "172.25.254.92/24") }),
        "router":  (role: Router, nics: { "eth0": (to: "outside", address: "172.25.254.1/24"),
                                          "eth1": (to: "lan", address: "172.25.92.1/24", link: (delay: "2ms")) }),
        "server4": (role: Director, os: Rhel6, gateway: "172.25.92.1", nics: { "eth0": (to: "lan", address: "172.25.92.4/24") },
            boot: Text(r#"
                ip addr add 172.25.92.100/24 dev eth0
                ipvsadm -A -t 172.25.92.100:80 -s rr
            "#)),
        "server{5..6}": (role: RealServer, os: Rhel6, gateway: "172.25.92.1", nics: { "eth0": (to: "lan", address: "172.25.92.{n}/24") },
            files: { "/var/www/html/index.html": File("files/page{n}.html") },
            boot: File("files/rs{n}.sh")),
    },
    script: [
        (at: "1s", on: "client",  run: "curl 172.25.92.100", times: 4, every: "200ms"),
        (at: "5s", on: "server5", run: "systemctl stop httpd"),
        (at: "6s", unplug: "server5:eth0"),
    ],
    expect: [
        ServedBy(url: "http://172.25.92.100/", hosts: { "server5": 2, "server6": 2 }),
        NeverSees(host: "server4", packet: "ip.src == 172.25.92.100 && tcp.srcport == 80"),
        Neighbour(on: "router", address: "172.25.92.100", is: "server4:eth0"),
    ],
)
"##;

fn load(text: &str) -> Result<Model, Vec<Problem>> {
    scenarios::load("test.ron", &Folder(FILES, text.to_string()))
}

#[test]
fn the_example_of_the_manual_is_read() {
    let model = load(GOOD).unwrap_or_else(|problems| panic!("{}", scenarios::problem::render(&problems)));
    let names: Vec<&str> = model.hosts.iter().map(|host| host.name.as_str()).collect();
    assert_eq!(names, ["client", "router", "server4", "server5", "server6"]);
    assert_eq!(model.hosts[4].nics[0].address.unwrap().to_string(), "172.25.92.6/24");
    assert_eq!(model.hosts[4].files[0].1, "<h1>bbs.test.com</h1>\n");
    assert_eq!(model.hosts[1].nics[1].link.delay.to_string(), "2ms");
    assert_eq!(model.hosts[1].nics[1].mac.to_string(), "02-00-00-00-02-02");
    assert_eq!((model.script.len(), model.expect.len()), (3, 3));
}

#[test]
fn all_problems_of_a_file_are_found_at_once() {
    let text = GOOD
        .replace("on: \"server5\", run", "on: \"sever5\", run")
        .replace(
            "gateway: \"172.25.92.1\", nics: { \"eth0\": (to: \"lan\", address: \"172.25.92.4/24\"",
            "gateway: \"172.25.29.1\", nics: { \"eth0\": (to: \"lann\", address: \"172.25.92.1/24\"",
        )
        .replace("seed: 1", "sed: 1, about: 3")
        .replace("at: \"6s\"", "at: \"16s\"")
        .replace("ip.src ==", "ip.srk ==")
        .replace("200ms", "200");
    let problems = load(&text).expect_err("it is broken");
    assert_eq!(problems.len(), 9, "{}", scenarios::problem::render(&problems));
}
