//! What clients and tools print, word for word: FTP, `nc`, `ab`, `ss`, `watch`, `traceroute`, and the lines that build
//! keepalived from source. A changed snapshot is reviewed like code.

use crate::lan::Alone;
use scenarios::problem::{SourceFile, render};
use std::sync::Arc;

const WORLD: &str = r##"Scenario(
    title: "Clients",
    about: "A client, a router, a server with the web and FTP.",
    seed: 1, until: "100s",
    switches: { "outside": (), "lan": () },
    hosts: {
        "client": (role: Client, os: Rhel6, gateway: "10.1.0.100", nics: { "eth0": (to: "outside", address: "10.1.0.1/24") }),
        "router": (role: Router, os: Rhel6, nics: { "eth0": (to: "outside", address: "10.1.0.100/24"), "eth1": (to: "lan", address: "10.2.0.100/24") }),
        "rs1": (role: RealServer, os: CentOs7, gateway: "10.2.0.100", nics: { "eth0": (to: "lan", address: "10.2.0.1/24") },
            boot: Text(r#"
                systemctl start nginx
                mkdir /var/ftp/incoming
                echo anon_upload_enable=YES >> /etc/vsftpd/vsftpd.conf
                echo anon_other_write_enable=YES >> /etc/vsftpd/vsftpd.conf
                echo anon_mkdir_write_enable=YES >> /etc/vsftpd/vsftpd.conf
                echo pasv_min_port=50000 >> /etc/vsftpd/vsftpd.conf
                echo pasv_max_port=50010 >> /etc/vsftpd/vsftpd.conf
                echo hello > /var/ftp/pub/greeting
                systemctl start vsftpd
            "#)),
    },
    script: [ SCRIPT ],
    expect: [],
)"##;

/// What comes of these lines, each typed two seconds after the one before.
fn typed(lines: &[(&str, &str)]) -> String {
    let line = |(at, (host, line)): (usize, &(&str, &str))| {
        format!("(at: \"{}s\", on: {host:?}, run: r##\"{line}\"##),", 2 * at + 1)
    };
    let script: String = lines.iter().enumerate().map(line).collect();
    let text = WORLD.replace("SCRIPT", &script);
    let file = Arc::new(SourceFile { name: "clients.ron".into(), text });
    let model = scenarios::load_text(&file, &Alone).unwrap_or_else(|problems| panic!("{}", render(&problems)));
    let mut sim = scenarios::assemble(&model, scenarios::Options::default());
    sim.run();
    let mut said = String::new();
    for (_, line) in lines {
        let ran = sim.trace().commands.iter().find(|command| &*command.text == *line).expect("every line was typed");
        let status = ran.exit.map_or("still runs".into(), |exit| format!("exit status {exit}"));
        said += &format!("$ {line}\n{}{}{status}\n\n", ran.stdout, ran.stderr);
    }
    said
}

#[test]
fn ftp_clients_and_the_server_say_what_the_real_ones_say() {
    insta::assert_snapshot!(typed(&[
        ("client", "echo content > /tmp/file"),
        ("client", "lftp -c 'open 10.2.0.1; pwd; ls; cd pub; pwd; cat greeting; get greeting -o /tmp/greeting'"),
        (
            "client",
            "lftp -c 'open 10.2.0.1; cd incoming; put /tmp/file; nlist; rm file; mkdir sub; ls; quote SIZE /pub/greeting'"
        ),
        ("client", "lftp -c 'open 10.2.0.1; cd /nowhere'"),
        ("client", "lftp -c 'open 10.2.0.1; get nothing'"),
        ("client", "lftp -u somebody,secret -c 'open 10.2.0.1; ls'"),
        ("client", "lftp -c 'set net:max-retries 1; open 10.1.0.100; ls'"),
        ("client", "lftp -c 'nonsense; set no:such thing; ls'"),
        (
            "client",
            r"printf 'user anonymous x\ncd pub\npwd\nls\nget greeting /tmp/again\nsize greeting\nbye\n' | ftp -nv 10.2.0.1"
        ),
        ("client", r"printf 'anonymous\nx\npassive\nls\nbye\n' | ftp 10.2.0.1"),
        ("client", r"printf 'user anonymous x\nfoo\ncd\nls\nbye\n' | ftp -n 10.1.0.100"),
        (
            "client",
            r"printf 'USER bob\r\nPASS x\r\nPWD\r\nUSER ftp\r\nPASS y\r\nSYST\r\nTYPE X\r\nLIST\r\nPORT 1,2,3,4,5,6\r\nFOO\r\nMDTM pub/greeting\r\nQUIT\r\n' | nc 10.2.0.1 21"
        ),
        (
            "rs1",
            "systemctl stop vsftpd; echo anonymus_enable=YES >> /etc/vsftpd/vsftpd.conf; vsftpd /etc/vsftpd/vsftpd.conf; sleep 1; tail -1 /var/log/messages"
        ),
    ]));
}

#[test]
fn nc_ab_ss_watch_and_traceroute_print_what_the_real_ones_print() {
    insta::assert_snapshot!(typed(&[
        ("client", "nc -v -z 10.2.0.1 79-81"),
        ("client", "nc -v -w 1 -z 10.2.0.77 80"),
        ("client", r"printf 'HEAD / HTTP/1.0\r\n\r\n' | nc 10.2.0.1 80"),
        ("rs1", "nc -l 7000 > /tmp/heard & sleep 1; ss -tln sport = :7000"),
        ("client", "echo by nc | nc -N -v 10.2.0.1 7000"),
        ("rs1", "cat /tmp/heard"),
        ("client", "sleep 1 | nc -q 0 10.2.0.1 80 & sleep 0.5; ss -tn; sleep 1; ss -tan"),
        ("rs1", "ss -tlnp"),
        ("client", "ab -n 10 -c 2 http://10.2.0.1/"),
        ("client", "ab -k -n 200 -c 10 http://10.2.0.1/ | grep -v ms"),
        ("client", "ab -n 5 http://10.2.0.1:81/ > /dev/null"),
        ("client", "ab -n 2 -c 5 http://10.2.0.1/"),
        ("client", "ab http://10.2.0.1"),
        ("client", "traceroute 10.2.0.1"),
        ("client", "traceroute -n -I 10.2.0.1"),
        ("client", "traceroute -T -q 1 10.2.0.1"),
        ("client", "traceroute -m 2 -q 1 -w 5 10.2.0.77"),
        ("client", "watch -t -n 0.5 echo tick & sleep 1.2; kill $!"),
        ("client", "watch -n nonsense date"),
    ]));
}

#[test]
fn keepalived_is_built_from_source_as_the_tutorial_types_it() {
    insta::assert_snapshot!(typed(&[
        ("router", "tar zxf nothing-1.0.tar.gz"),
        (
            "router",
            "wget keepalived-1.3.6.tar.gz; tar zxvf keepalived-1.3.6.tar.gz; cd keepalived-1.3.6; less INSTALL; ./configure --prefix=/usr/local/keepalived     --with-init=SYSV; make && make install"
        ),
        (
            "router",
            "ln -s /usr/local/keepalived/etc/keepalived /etc/; ln -s /usr/local/keepalived/etc/sysconfig/keepalived /etc/sysconfig/; ln -s /usr/local/keepalived/etc/rc.d/init.d/keepalived /etc/init.d/; ln -s /usr/local/keepalived/sbin/keepalived /sbin/"
        ),
        (
            "router",
            "which keepalived; cd /usr/local/keepalived/etc/rc.d/init.d; chmod +x keepalived; ls /etc/keepalived/"
        ),
        (
            "router",
            "modprobe ip_vs_ftp; modprobe ip_vs_wrr; lsmod | grep ip_vs; rmmod ip_vs_ftp; modprobe ip_vs_nonsense; rmmod ip_vs_ftp"
        ),
    ]));
}
