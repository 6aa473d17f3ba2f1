//! What lies over the panes: help, texts, menus, forks, questions, the console, and the line typed at the bottom.

use super::brush::{cut, line, plain, start, style};
use super::{editor, help};
use crate::stepper::model::{Bar, BarKind, Branch, Console, Model, Overlay};
use crate::stepper::predict::Question;
use crate::stepper::theme::Ink;
use pcap_out::layout::{pad, wrap};
use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph};
use unicode_width::UnicodeWidthStr;

/// Draws what is open, the last on top.
pub(crate) fn view(frame: &mut Frame, area: Rect, model: &Model) {
    for (index, over) in model.over.iter().enumerate() {
        let on_top = index + 1 == model.over.len();
        match over {
            Overlay::Help { search, scroll } => {
                let title = format!("KEYS  looking for: {}_", search.text());
                text(frame, area, model, &title, &help::lines(model, &search.text()), *scroll);
            }
            Overlay::Text { title, lines, scroll } => text(frame, area, model, title, lines, *scroll),
            Overlay::Menu { title, items, row } => {
                let lines: Vec<String> = items.iter().map(|(text, _)| text.clone()).collect();
                choose(frame, area, model, title, &lines, *row);
            }
            Overlay::Forks { row } => choose(frame, area, model, "FORKS", &forks(model), *row),
            Overlay::Predict { question, row, given } => predict(frame, area, model, question, *row, *given),
            Overlay::Console(line) => console(frame, area, model, line, on_top),
            Overlay::Editor(open) => editor::view(frame, area, model, open, on_top),
            Overlay::Bar(line) => bar(frame, area, model, line, on_top),
            Overlay::Quit => {
                let lines = [
                    (Ink::Plain, "A fork is not saved.".to_string()),
                    (Ink::Plain, String::new()),
                    (Ink::Plain, "y  quit all the same    s  save it    n  stay".to_string()),
                ];
                text(frame, area, model, "Quit?", &lines, 0);
            }
        }
    }
}

/// Where a box in the middle stands: as large as its content where that fits.
fn middle(area: Rect, title: &str, width: usize, height: usize) -> Rect {
    let width = (width.max(title.width() + 4) as u16).saturating_add(2).min(area.width.saturating_sub(2));
    let height = (height.min(usize::from(u16::MAX) - 2) as u16 + 2).min(area.height.saturating_sub(2));
    Rect::new((area.width - width) / 2, (area.height - height) / 2, width, height)
}

/// The row of the list on top that stands under a column and line of the screen.
pub(crate) fn hit(model: &Model, column: u16, line: u16) -> Option<usize> {
    let area = Rect::new(0, 0, model.size.0, model.size.1);
    model.places()?;
    let (title, lines, row, before, count) = match model.over.last()? {
        Overlay::Menu { title, items, row } => {
            let lines: Vec<String> = items.iter().map(|(text, _)| format!("{text}  ")).collect();
            let count = lines.len();
            (title.as_str(), lines, *row, 0, count)
        }
        Overlay::Forks { row } => {
            let lines: Vec<String> = forks(model).into_iter().map(|text| text + "  ").collect();
            let count = lines.len();
            ("FORKS", lines, *row, 0, count)
        }
        Overlay::Predict { question, row, given: None } => {
            let before = wrap(&question.text, QUESTION_WIDTH).len() + 1;
            let lines = asked(model, question, *row, None).into_iter().map(|(_, text)| text).collect();
            (QUESTION, lines, 0, before, question.choices.len())
        }
        _ => return None,
    };
    let widest = lines.iter().map(|text: &String| text.width()).max().unwrap_or(0);
    let inside = Block::bordered().inner(middle(area, title, widest, lines.len()));
    if !inside.contains(Position::new(column, line)) {
        return None;
    }
    let first = start(lines.len(), row, inside.height as usize);
    let at = first + usize::from(line - inside.y);
    at.checked_sub(before).filter(|at| *at < count)
}

/// A box in the middle.
fn boxed(frame: &mut Frame, area: Rect, model: &Model, title: &str, width: usize, height: usize) -> Rect {
    let rect = middle(area, title, width, height);
    let title =
        Line::styled(cut(&format!(" {title} "), (rect.width as usize).saturating_sub(2)), style(model, Ink::Focus));
    let block = Block::bordered().border_style(style(model, Ink::Focus)).title(title);
    let inside = block.inner(rect);
    frame.render_widget(Clear, rect);
    frame.render_widget(block, rect);
    inside
}

fn text(frame: &mut Frame, area: Rect, model: &Model, title: &str, lines: &[(Ink, String)], scroll: usize) {
    // What is wider than the screen goes on in the next line.
    let room = (area.width as usize).saturating_sub(4).max(1);
    let fold = |(ink, text): &(Ink, String)| -> Vec<(Ink, String)> {
        let parts = match text.width() <= room {
            true => vec![text.clone()],
            false => hung(text, room),
        };
        parts.into_iter().map(|part| (*ink, part)).collect()
    };
    let lines: Vec<(Ink, String)> = lines.iter().flat_map(fold).collect();
    let widest = lines.iter().map(|(_, text)| text.width()).max().unwrap_or(0);
    let inside = boxed(frame, area, model, title, widest, lines.len());
    let height = inside.height as usize;
    let first = scroll.min(lines.len().saturating_sub(height));
    let shown: Vec<Line> = lines[first..]
        .iter()
        .take(height)
        .map(|piece| line(model, std::slice::from_ref(piece), inside.width as usize))
        .collect();
    frame.render_widget(Paragraph::new(shown), inside);
    if first + height < lines.len() {
        let more = format!(" {} more lines ↓ ", lines.len() - first - height);
        let place = Rect { x: inside.x + 1, y: inside.bottom(), width: more.width() as u16, height: 1 };
        frame.render_widget(Span::styled(more, style(model, Ink::Focus)), place.intersection(area));
    }
}

fn choose(frame: &mut Frame, area: Rect, model: &Model, title: &str, lines: &[String], row: usize) {
    let widest = lines.iter().map(|text| text.width()).max().unwrap_or(0);
    let inside = boxed(frame, area, model, title, widest + 2, lines.len());
    let height = inside.height as usize;
    let first = start(lines.len(), row, height);
    let shown: Vec<Line> = lines
        .iter()
        .enumerate()
        .skip(first)
        .take(height)
        .map(|(index, text)| {
            let mark = if index == row { "▌" } else { " " };
            let drawn = line(model, &[(Ink::Plain, format!("{mark}{text}"))], inside.width as usize);
            if index == row { drawn.style(style(model, Ink::Selected)) } else { drawn }
        })
        .collect();
    frame.render_widget(Paragraph::new(shown), inside);
}

/// The branches, one a line.
fn forks(model: &Model) -> Vec<String> {
    let what = |branch: &Branch| match branch.run.added.last() {
        None => "the scenario itself".to_string(),
        Some(addition) => format!(
            "from {} at {} s  {}",
            branch.parent.unwrap_or(0),
            addition.shown,
            plain(&addition.words(&branch.run.scenario))
        ),
    };
    let told: Vec<String> = model.branches.iter().map(what).collect();
    let column = told.iter().map(|text| text.width()).max().unwrap_or(0).min(FORK_WIDTH);
    let lines = model.branches.iter().zip(told).enumerate().map(|(index, (branch, told))| {
        let run = &branch.run;
        let shown = if index == model.shown { "shown" } else { "" };
        let saved = match (index, branch.saved) {
            (0, _) => "",
            (_, true) => "saved",
            (_, false) => "not saved",
        };
        let holds = run.marks.iter().filter(|mark| mark.holds == Some(true)).count();
        let told = pad(&cut(&told, column), column);
        format!("{index:>2}  {told}  {holds} of {} hold  {}  {shown:<6}{saved}", run.marks.len(), run.digest)
    });
    lines.collect()
}

/// Longer descriptions of a fork are cut.
const FORK_WIDTH: usize = 64;

fn predict(frame: &mut Frame, area: Rect, model: &Model, question: &Question, row: usize, given: Option<usize>) {
    text(frame, area, model, QUESTION, &asked(model, question, row, given), 0);
}

const QUESTION: &str = "WHAT HAPPENS NEXT?";
const QUESTION_WIDTH: usize = 66;

/// A question, its choices, and what there is to say about the answer.
fn asked(model: &Model, question: &Question, row: usize, given: Option<usize>) -> Vec<(Ink, String)> {
    const WIDTH: usize = QUESTION_WIDTH;
    let mut lines: Vec<(Ink, String)> =
        wrap(&question.text, WIDTH).into_iter().map(|text| (Ink::Title, text)).collect();
    lines.push((Ink::Plain, String::new()));
    for (index, choice) in question.choices.iter().enumerate() {
        let sign = match given {
            Some(_) if index == question.right => "✔",
            Some(given) if index == given => "✘",
            None if index == row => "▌",
            Some(_) | None => " ",
        };
        let ink = match given {
            Some(_) if index == question.right => Ink::Good,
            Some(given) if index == given => Ink::Bad,
            None if index == row => Ink::Selected,
            Some(_) | None => Ink::Plain,
        };
        lines.push((ink, format!("{sign} {}  {choice}", index + 1)));
    }
    lines.push((Ink::Plain, String::new()));
    let (right, asked) = model.score;
    match given {
        Some(given) => {
            let (ink, verdict) = if given == question.right { (Ink::Good, "Right.") } else { (Ink::Bad, "No.") };
            lines.push((ink, format!("{verdict}  {right} of {asked} so far")));
            lines.extend(wrap(&question.because, WIDTH).into_iter().map(|text| (Ink::Plain, text)));
            lines.push((Ink::Faint, format!("seen at {}; p asks again, Enter goes on", question.event)));
        }
        None => lines.push((Ink::Faint, "a number or Enter answers; what comes next is hidden until then".to_string())),
    }
    lines
}

fn console(frame: &mut Frame, area: Rect, model: &Model, console: &Console, on_top: bool) {
    let name = model.run().trace.node_name(console.node);
    let height = (area.height / 2).max(8).min(area.height.saturating_sub(2));
    let rect = Rect::new(0, area.height - 1 - height, area.width, height);
    let title = format!(" CONSOLE on {name}, at {} s ", model.now());
    let block = Block::bordered()
        .border_style(style(model, Ink::Focus))
        .title(Line::styled(cut(&title, area.width as usize - 2), style(model, Ink::Focus)));
    let inside = block.inner(rect);
    frame.render_widget(Clear, rect);
    frame.render_widget(block, rect);
    let width = inside.width as usize;
    let rows = inside.height as usize;
    let mut lines: Vec<Line> = console
        .lines
        .iter()
        .flat_map(|(ink, text)| folded(&plain(&text.replace('\t', "    ")), width).into_iter().map(|part| (*ink, part)))
        .map(|piece| line(model, &[piece], width))
        .collect();
    let offered = if console.choices.is_empty() { 0 } else { 1 };
    let room = rows.saturating_sub(1 + offered);
    let from = lines.len().saturating_sub(room);
    lines.drain(..from);
    let row = lines.len() as u16;
    let prompt = if console.waiting { "… ".to_string() } else { format!("[root@{name} ~]# ") };
    let (shown, column) = console.input.window(width.saturating_sub(prompt.width() + 1).max(1));
    lines.push(Line::from(vec![Span::styled(prompt.clone(), style(model, Ink::Name)), Span::raw(shown)]));
    if offered > 0 {
        lines.push(line(model, &[(Ink::Faint, console.choices.join("  "))], width));
    }
    frame.render_widget(Paragraph::new(lines), inside);
    if on_top {
        let x = inside.x + (prompt.width() + column) as u16;
        frame.set_cursor_position(Position::new(x.min(inside.right().saturating_sub(1)), inside.y + row));
    }
}

/// A line of columns goes on below its second column; a word that is too long for that is cut.
fn hung(text: &str, width: usize) -> Vec<String> {
    let blank = text.len() - text.trim_start().len();
    let second = text[blank..].find("  ").map(|at| blank + at);
    let column = second.map_or(blank, |at| text.len() - text[at..].trim_start().len());
    // What is wider than half of the screen is no column to stay behind.
    let (head, rest) = text.split_at(if text[..column].width() * 2 > width { blank } else { column });
    let indent = head.width();
    let room = width - indent;
    let parts = wrap(rest, room).into_iter().flat_map(|part| folded(&part, room));
    let heads = std::iter::once(head.to_string()).chain(std::iter::repeat(" ".repeat(indent)));
    heads.zip(parts).map(|(head, part)| head + &part).collect()
}

/// A long line of output goes on in the next line, as on a terminal.
fn folded(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for c in text.chars() {
        let wide = unicode_width::UnicodeWidthChar::width(c).unwrap_or(0);
        if used + wide > width {
            lines.push(String::new());
            used = 0;
        }
        used += wide;
        if let Some(last) = lines.last_mut() {
            last.push(c);
        }
    }
    lines
}

fn bar(frame: &mut Frame, area: Rect, model: &Model, bar: &Bar, on_top: bool) {
    let width = area.width as usize;
    let prompt = match bar.kind {
        BarKind::Filter => "/".to_string(),
        BarKind::Break => "break on: ".to_string(),
        BarKind::Place => "go to: ".to_string(),
        BarKind::Command => ":".to_string(),
        BarKind::Save(branch) => format!("save fork {branch} as: "),
        BarKind::Cable(nic) => format!("change at {}: ", model.run().scenario.nic_name(nic)),
        BarKind::Cut(_) => "cut these packets (none: all): ".to_string(),
    };
    let row = area.height - 1;
    let at = Rect::new(0, row, area.width, 1);
    frame.render_widget(Clear, at);
    let (shown, column) = bar.input.window(width.saturating_sub(prompt.width() + 2).max(1));
    let checks = !matches!(bar.kind, BarKind::Command | BarKind::Save(_));
    let ink = match (&bar.problem, checks, bar.input.text().is_empty()) {
        (Some(_), ..) => Ink::Bad,
        (None, true, false) => Ink::Good,
        (None, ..) => Ink::Plain,
    };
    let line_ =
        Line::from(vec![Span::styled(prompt.clone(), style(model, Ink::Name)), Span::styled(shown, style(model, ink))]);
    frame.render_widget(Paragraph::new(line_), at);
    let said = match (&bar.problem, bar.choices.is_empty()) {
        (Some((_, _, message)), _) if bar.choices.is_empty() => Some((Ink::Bad, format!("✘ {message}"))),
        (None, false) if checks => Some((Ink::Good, format!("✔ Enter   Tab: {}", bar.choices.join("  ")))),
        (_, false) => Some((Ink::Faint, format!("Tab: {}", bar.choices.join("  ")))),
        (None, true) if checks && !bar.input.text().trim().is_empty() => Some((Ink::Good, "✔ Enter".to_string())),
        _ if matches!(bar.kind, BarKind::Cable(_)) => {
            Some((Ink::Faint, "loss 5% delay 10ms rate 10Mbit queue 50".into()))
        }
        _ if matches!(bar.kind, BarKind::Cut(_)) => {
            Some((Ink::Faint, "vrrp · arp · icmp · tcp.port == 80   Enter alone: every packet".into()))
        }
        _ if bar.kind == BarKind::Filter => Some((
            Ink::Faint,
            "ip.src == 10.0.0.1 && tcp.flags.syn == 1 · lab.host == router · lab.why == IPVS.DR".into(),
        )),
        _ => None,
    };
    if let (Some(piece), true) = (said, row > 1) {
        let above = Rect::new(0, row - 1, area.width, 1);
        frame.render_widget(Clear, above);
        frame.render_widget(Paragraph::new(line(model, &[(piece.0, format!(" {}", piece.1))], width)), above);
    }
    if on_top {
        frame.set_cursor_position(Position::new(((prompt.width() + column) as u16).min(area.width - 1), row));
    }
}
