//! The panes: one file each with one function that draws it, one row each in the `registry`. They read the model and
//! decide nothing.
//!
//! ```text
//!   mod ─► status, overlay ─► registry ─► each pane ─► brush
//! ```

mod brush;
mod bytes;
mod editor;
mod frames;
mod headers;
pub(super) mod help;
pub(super) mod log;
pub(super) mod overlay;
pub(super) mod pick;
mod question;
pub(super) mod registry;
mod status;
pub(crate) mod tables;
mod timeline;
mod topology;
pub(super) mod why;

pub(super) use brush::{cut, plain};
pub(super) use editor::found;

use super::model::Model;
use ratatui::Frame;
use ratatui::widgets::Paragraph;

/// Draws everything.
pub(crate) fn view(frame: &mut Frame, model: &Model) {
    let area = frame.area();
    match model.places() {
        None => {
            let text = format!("lvslab needs 60 × 16 columns and lines; here are {} × {}", area.width, area.height);
            frame.render_widget(Paragraph::new(text), area);
        }
        Some(places) => {
            status::header(frame, places.header, model);
            // The pane with the focus comes last, so that its borders lie on top.
            let (last, first): (Vec<_>, Vec<_>) = places.panes.into_iter().partition(|(id, _)| *id == model.focus);
            for (id, area) in first.into_iter().chain(last) {
                (registry::row(id).view)(frame, area, model);
            }
            status::view(frame, places.status, model);
            overlay::view(frame, area, model);
        }
    }
    model.theme.finish(frame.buffer_mut());
}
