//! The start script of ipvsadm (`service ipvsadm save`, `start`, `stop`): rules in a file, loaded and cleared.

use crate::kernel::Kernel;
use crate::world::node::Cx;

/// Where the rules are kept.
pub const RULES: &str = "/etc/sysconfig/ipvsadm";

/// Writes the rules to [`RULES`]; false if the file cannot be written.
pub fn save(kernel: &mut Kernel, cx: &mut Cx) -> bool {
    let text = super::saved(kernel, true);
    kernel.files.write(RULES, text.as_bytes(), cx.now).is_ok()
}

/// Clears the table and loads the rules from [`RULES`].
///
/// # Errors
/// What the tool says: there is no such file, or a rule is refused.
pub fn start(kernel: &mut Kernel, cx: &mut Cx) -> Result<(), String> {
    let text = match kernel.files.read(RULES) {
        Ok(text) => String::from_utf8_lossy(text).into_owned(),
        Err(error) => return Err(format!("{RULES}: {error}\n")),
    };
    stop(kernel, cx);
    for line in text.lines() {
        let answer = super::restore_line(line, kernel, cx);
        if answer.code != 0 {
            return Err(answer.err);
        }
    }
    Ok(())
}

/// Clears the table.
pub fn stop(kernel: &mut Kernel, cx: &mut Cx) {
    let Kernel { ipvs, tables, .. } = kernel;
    ipvs.clear(tables, cx);
}
