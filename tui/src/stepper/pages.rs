//! The page of a reason code: what it means, what changes it, where it is in Linux.

use super::model::{Model, Overlay};
use super::pane::PaneId;
use super::panes::why;
use super::theme::Ink;
use pcap_out::layout::wrap;
use sim_core::trace::{Kind, explain};

/// The page of the decision under the cursor, or of the most telling one about this frame.
///
/// # Errors
/// Why there is none.
pub(crate) fn page(model: &Model) -> Result<Overlay, String> {
    let run = model.run();
    let chosen = (model.focus == PaneId::Why).then(|| why::chosen(model)).flatten();
    let code = match chosen.map(|event| (event, run.trace.event(event).kind)) {
        Some((_, Kind::Decided(why))) => Some(explain::code(&run.trace, why)),
        Some(_) | None => match run.trace.events.get(model.cursor.0 as usize).map(|event| event.kind) {
            Some(Kind::Decided(why)) => Some(explain::code(&run.trace, why)),
            _ => why::telling(model),
        },
    };
    let code = code.ok_or("nothing was decided here; s goes on inside the host")?;
    let page = explain::page(code).ok_or_else(|| format!("{code} has no page"))?;
    let mut lines = vec![(Ink::Title, page.title.to_string()), (Ink::Plain, String::new())];
    let mut paragraph = |text: &str| {
        if !text.is_empty() {
            lines.extend(wrap(text, 72).into_iter().map(|line| (Ink::Plain, line)));
            lines.push((Ink::Plain, String::new()));
        }
    };
    paragraph(page.meaning);
    if !page.changes.is_empty() {
        paragraph("What changes it:");
        page.changes.iter().for_each(|line| paragraph(line));
    }
    paragraph(&format!("In Linux: {}", page.linux));
    Ok(Overlay::Text { title: code.to_string(), lines, scroll: 0 })
}
