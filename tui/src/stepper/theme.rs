//! Colours, and how the same is said without them. What is lit is always marked by a sign or by reversal too.

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier, Style};

/// A set of colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Palette {
    /// For a dark background.
    #[default]
    Dark,
    /// For a light background.
    Light,
    /// Black, white, and few strong colours.
    Contrast,
    /// No colour at all: reversal, bold, underline.
    Mono,
}

/// The palettes by their names in the configuration.
pub(crate) const PALETTES: &[(&str, Palette)] = &[
    ("dark", Palette::Dark),
    ("light", Palette::Light),
    ("high-contrast", Palette::Contrast),
    ("mono", Palette::Mono),
];

/// How things are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Theme {
    /// The colours.
    pub(crate) palette: Palette,
    /// Only ASCII signs: for terminals that draw lines two columns wide, or cannot draw them.
    pub(crate) ascii: bool,
}

/// What a piece of the screen is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    /// Ordinary text.
    Plain,
    /// Less important.
    Faint,
    /// A heading.
    Title,
    /// The frame of the pane that has the focus.
    Focus,
    /// The row under the cursor.
    Selected,
    /// The row of now, in a pane that has not the focus.
    Here,
    /// Changed in this step.
    Changed,
    /// Good.
    Good,
    /// Wrong, dropped, failed.
    Bad,
    /// Late, doubtful.
    Warn,
    /// A reason code, a name to remember.
    Name,
    /// ARP.
    Arp,
    /// TCP and UDP.
    Transport,
    /// ICMP.
    Icmp,
    /// VRRP.
    Vrrp,
}

impl Theme {
    /// How it is drawn.
    pub(crate) fn style(self, ink: Ink) -> Style {
        let plain = Style::new();
        let colour = |dark: Color, light: Color, contrast: Color| match self.palette {
            Palette::Dark => plain.fg(dark),
            Palette::Light => plain.fg(light),
            Palette::Contrast => plain.fg(contrast).add_modifier(Modifier::BOLD),
            Palette::Mono => plain,
        };
        match ink {
            Ink::Plain => plain,
            Ink::Faint => match self.palette {
                Palette::Dark => plain.fg(Color::DarkGray),
                Palette::Light => plain.fg(Color::DarkGray),
                Palette::Contrast => plain,
                Palette::Mono => plain.add_modifier(Modifier::DIM),
            },
            Ink::Title => plain.add_modifier(Modifier::BOLD),
            // It is drawn over the border of a neighbour, which may be dim.
            Ink::Focus => colour(Color::Cyan, Color::Blue, Color::Yellow)
                .add_modifier(Modifier::BOLD)
                .remove_modifier(Modifier::DIM),
            Ink::Selected => plain.add_modifier(Modifier::REVERSED),
            Ink::Here => plain.add_modifier(Modifier::BOLD),
            Ink::Changed => colour(Color::Yellow, Color::Magenta, Color::Yellow).add_modifier(match self.palette {
                Palette::Mono | Palette::Contrast => Modifier::BOLD | Modifier::UNDERLINED,
                Palette::Dark | Palette::Light => Modifier::BOLD,
            }),
            Ink::Good => colour(Color::Green, Color::Green, Color::LightGreen),
            Ink::Bad => colour(Color::LightRed, Color::Red, Color::LightRed).add_modifier(Modifier::BOLD),
            Ink::Warn => colour(Color::Yellow, Color::Magenta, Color::LightYellow),
            Ink::Name => colour(Color::Cyan, Color::Blue, Color::LightCyan),
            Ink::Arp => colour(Color::Magenta, Color::Magenta, Color::LightMagenta),
            Ink::Transport => plain,
            Ink::Icmp => colour(Color::LightBlue, Color::Blue, Color::LightBlue),
            Ink::Vrrp => colour(Color::Green, Color::Green, Color::LightGreen),
        }
    }

    /// Puts ASCII signs in the place of the others, if the theme wants that.
    pub(crate) fn finish(self, buffer: &mut Buffer) {
        if !self.ascii {
            return;
        }
        for cell in &mut buffer.content {
            let strange = cell.symbol().chars().next().filter(|c| !c.is_ascii());
            let found = strange.and_then(|c| ASCII.iter().find(|(signs, _)| signs.contains(c)));
            if let Some((_, plain)) = found {
                cell.set_symbol(plain);
            }
        }
    }
}

/// Signs and what stands for them.
const ASCII: &[(&str, &str)] = &[
    ("─━═▔", "-"),
    ("│┃┊", "|"),
    ("┌┐└┘├┤┬┴┼", "+"),
    ("→▸▶", ">"),
    ("←◂", "<"),
    ("▌▐█", "#"),
    ("↑", "^"),
    ("↓▼", "v"),
    ("●", "o"),
    ("◐", "~"),
    ("○", "."),
    ("✔", "+"),
    ("✗╳✘×", "x"),
    ("…·", "."),
    ("░", "-"),
];
