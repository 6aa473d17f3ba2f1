//! The terminal: raw mode and the other screen while the stepper is open, and everything as it was afterwards, also
//! after a panic, SIGTERM and Ctrl-Z.

use crate::failure::Failure;
use ratatui::Frame;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture};
use ratatui::crossterm::style::Print;
use ratatui::crossterm::terminal::{self, Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen};
use ratatui::crossterm::{cursor, execute};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGTSTP};
use std::io::{self, Stdout};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Once};

/// A terminal that is put back when this is dropped.
pub(crate) struct Terminal {
    inner: ratatui::Terminal<CrosstermBackend<Stdout>>,
    told_to_end: Arc<AtomicBool>,
    signals: Vec<signal_hook::SigId>,
    wide: bool,
}

impl Terminal {
    /// Takes the terminal.
    ///
    /// # Errors
    /// It cannot be set up.
    pub(crate) fn enter() -> Result<Self, Failure> {
        put_back_on_panic();
        let told_to_end = Arc::new(AtomicBool::new(false));
        let mut signals = Vec::new();
        for signal in [SIGTERM, SIGINT] {
            signals.push(signal_hook::flag::register(signal, Arc::clone(&told_to_end))?);
        }
        // The terminal is gone, and reading from it would never return: there is nobody to say goodbye to.
        let gone = Arc::new(AtomicBool::new(true));
        signals.push(signal_hook::flag::register_conditional_shutdown(SIGHUP, HUNG_UP, gone)?);
        begin()?;
        let wide = draws_wide();
        let inner = ratatui::Terminal::new(CrosstermBackend::new(io::stdout()))?;
        let mut entered = Terminal { inner, told_to_end, signals, wide };
        entered.inner.clear()?;
        Ok(entered)
    }

    /// Whether signs such as `─` take two columns here, which would tear the panes apart.
    pub(crate) fn draws_wide(&self) -> bool {
        self.wide
    }

    /// Whether SIGTERM or SIGINT came.
    pub(crate) fn is_told_to_end(&self) -> bool {
        self.told_to_end.load(Ordering::Relaxed)
    }

    /// Columns and rows.
    pub(crate) fn size(&self) -> Result<(u16, u16), Failure> {
        let size = self.inner.size()?;
        Ok((size.width, size.height))
    }

    /// Draws.
    pub(crate) fn draw(&mut self, view: impl FnOnce(&mut Frame)) -> Result<(), Failure> {
        self.inner.draw(view)?;
        Ok(())
    }

    /// Gives the terminal to the shell until it brings us back.
    pub(crate) fn suspend(&mut self) -> Result<(), Failure> {
        end();
        // Where a process cannot be stopped, the screen just comes back.
        let _ = signal_hook::low_level::emulate_default_handler(SIGTSTP);
        begin()?;
        self.inner.clear()?;
        Ok(())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        end();
        for signal in self.signals.drain(..) {
            signal_hook::low_level::unregister(signal);
        }
    }
}

/// Exit status after SIGHUP: 128 and its number, as a shell says it.
const HUNG_UP: i32 = 129;

fn begin() -> io::Result<()> {
    terminal::enable_raw_mode()?;
    execute!(io::stdout(), EnterAlternateScreen, EnableMouseCapture, EnableBracketedPaste, cursor::Hide)
}

/// Puts everything back; what fails cannot be helped.
fn end() {
    let _ = execute!(io::stdout(), DisableBracketedPaste, DisableMouseCapture, LeaveAlternateScreen, cursor::Show);
    let _ = terminal::disable_raw_mode();
}

/// A panic is read on an ordinary terminal.
fn put_back_on_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            end();
            before(panic);
        }));
    });
}

/// Draws one sign and asks where the cursor is. A terminal that does not answer is taken for an ordinary one.
fn draws_wide() -> bool {
    let drawn = execute!(io::stdout(), cursor::MoveTo(0, 0), Print("─"));
    let column = drawn.and_then(|()| cursor::position()).map(|(column, _)| column);
    let _ = execute!(io::stdout(), Clear(ClearType::All));
    matches!(column, Ok(2))
}
