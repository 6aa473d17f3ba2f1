//! What scripts come to.

use crate::kernel::Os;
use crate::shell::testing::Bench;

/// Standard output of a text, which must not complain.
fn check(text: &str, expected: &str) {
    let result = Bench::new(Os::Debian12).run(text);
    assert_eq!((result.out.as_str(), result.err.as_str()), (expected, ""), "{text}");
}

/// Exit status and standard error of a text.
fn fails(text: &str, code: i32, message: &str) {
    let result = Bench::new(Os::Debian12).run(text);
    assert_eq!((result.code, result.err.as_str()), (code, message), "{text}");
}

#[test]
fn words_are_expanded_as_in_bash() {
    check("echo a  b 'c  d' \"e  f\"", "a b c  d e  f\n");
    check("x='1  2'; echo $x \"$x\" '$x'", "1 2 1  2 $x\n");
    check("x=7; echo ${x}y ${y:-none} ${x:+set} ${#x}", "7y none set 1\n");
    check("x=/etc/a.conf; echo ${x##*/} ${x%.conf} ${x/etc/usr} ${x:1:3}", "a.conf /etc/a /usr/a.conf etc\n");
    check("echo $((1 + 2 * 3)) $((7 / 2)) $(( (1+1) ** 10 ))", "7 3 1024\n");
    check("i=5; ((i++)); echo $i; let i+=2; echo $i", "6\n8\n");
    check("echo rs{1..3} {a,b}c", "rs1 rs2 rs3 ac bc\n");
    check("echo \"a\\\"b\" a\\ b $'t\\tb'", "a\"b a b t\tb\n");
    check("IFS=:; x=a:b::c; for i in $x; do echo \"<$i>\"; done", "<a>\n<b>\n<>\n<c>\n");
    check("x=; echo [$x] \"[$x]\"", "[] []\n");
    check("echo $((x=4, x*x))", "16\n");
    check("unset q; echo ${q:=new} $q", "new new\n");
    check("x=abc; echo ${x^^}; y=ABC; echo ${y,,}", "ABC\nabc\n");
}

#[test]
fn lists_and_conditions_run_in_order() {
    check("true && echo yes || echo no", "yes\n");
    check("false && echo yes || echo no", "no\n");
    check("! false && echo y; ! true || echo n", "y\nn\n");
    check("if false; then echo a; elif true; then echo b; else echo c; fi", "b\n");
    check("if [ 1 -lt 2 -a x = x ]; then echo ok; fi", "ok\n");
    check("[[ abc == a* && ! x == y ]] && echo m", "m\n");
    check("[[ 172.25.92.5 =~ ^[0-9.]+$ ]] && echo address", "address\n");
    check("case start in stop) echo a;; st*|x) echo b;; *) echo c;; esac", "b\n");
    check("case x in a) echo a;; esac; echo $?", "0\n");
}

#[test]
fn loops_end_where_they_are_told() {
    check("for i in 1 2 3; do echo $i; done", "1\n2\n3\n");
    check("i=0; while [ $i -lt 3 ]; do i=$((i+1)); [ $i = 2 ] && continue; echo $i; done", "1\n3\n");
    check("for i in 1 2 3; do for j in a b; do [ $j = b ] && continue 2; echo $i$j; done; done", "1a\n2a\n3a\n");
    check("for i in 1 2 3; do [ $i = 2 ] && break; echo $i; done; echo end", "1\nend\n");
    check("until true; do echo never; done; echo $?", "0\n");
    check("for ((i=0; i<3; i++)); do echo $i; done", "0\n1\n2\n");
    check("set -- a 'b c'; for x; do echo $x; done; for x in \"$@\"; do echo $x; done", "a\nb c\na\nb c\n");
}

#[test]
fn functions_have_arguments_and_locals() {
    check("f() { local x=2; echo $1 $# $x; return 3; }; x=1; f a b; echo $? $x", "a 2 2\n3 1\n");
    check("f() { for i in 1 2; do return 7; done; }; f; echo $?", "7\n");
    check("f() { echo in; } > /tmp/o; f; echo out; while read l; do echo \"<$l>\"; done < /tmp/o", "out\n<in>\n");
    check("set -- a b c; shift; echo $1 $#", "b 2\n");
}

#[test]
fn children_run_in_pipes_and_subshells() {
    check("x=$(echo a; echo b); echo \"$x\" `echo c`", "a\nb c\n");
    check("(x=1; echo $x); echo [$x]", "1\n[]\n");
    check("echo a b | while read x y; do echo $y $x; done", "b a\n");
    check("echo $(echo $(echo deep))", "deep\n");
    check("false | true; echo $?; true | false; echo $?", "0\n1\n");
    check("x=$(false); echo $?; x=$(exit 3) || echo failed", "1\nfailed\n");
    check("read a b <<< 'x y z'; echo $b", "y z\n");
    check("read a <<EOF\nhi $((1+1))\nEOF\necho $a", "hi 2\n");
    check("x=1; cat_() { while read l; do echo $l; done; }; cat_ <<'EOF'\n$x\nEOF\n", "$x\n");
}

#[test]
fn output_goes_where_it_is_sent() {
    check("echo a > /tmp/f; echo b >> /tmp/f; while read x; do echo $x; done < /tmp/f", "a\nb\n");
    check("{ echo a; echo b >&2; } > /tmp/f 2>&1; while read x; do echo $x; done < /tmp/f", "a\nb\n");
    check("nothere 2> /dev/null; echo $?", "127\n");
    check("nothere &> /dev/null || echo failed", "failed\n");
    fails("echo x > /none/f", 1, "-bash: /none/f: No such file or directory\n");
    fails("nothere", 127, "-bash: nothere: command not found\n");
    fails("./nothere", 127, "-bash: ./nothere: No such file or directory\n");
}

#[test]
fn a_script_without_end_is_stopped() {
    for text in [
        "while true; do :; done",
        "f() { f; }; f",
        "while true; do $(:); done",
        "while :; do : | :; done",
        "x=ab; while :; do x=$x$x; x=${x%%*b*c}; done",
        "x=a; while :; do x=$x$x; y=${x//a*b/c}; done",
        "while :; do eval 'x=$(echo)'; done",
    ] {
        let result = Bench::new(Os::Debian12).run(text);
        assert!(result.code != 0 && !result.err.is_empty(), "{text}: {result:?}");
    }
}

#[test]
fn set_e_ends_a_script_at_the_first_failure_nobody_looks_at() {
    let result = Bench::new(Os::Debian12).run("set -e; false || echo a; if false; then :; fi; false; echo b");
    assert_eq!((result.out.as_str(), result.code), ("a\n", 1));
}

#[test]
fn traps_run_at_the_end() {
    check("trap 'echo bye' EXIT; echo hi; exit 0", "hi\nbye\n");
}
