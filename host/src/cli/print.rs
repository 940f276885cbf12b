//! The only place that writes to the terminal's two streams.
//!
//! stdout takes results: a reader that has gone (`| head`) ends the output quietly, any other
//! failure is an error. stderr takes everything else, and a failure there has nobody to be told.
//! Colour is used on a terminal, unless `NO_COLOR` is set or the terminal is a dumb one.

use std::fmt::Write as _;
use std::io::{self, ErrorKind, IsTerminal, Write};

use weir::error::{Error, Result};

/// Writes a result to stdout.
pub(super) fn out(text: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => Err(Error::sink_io("stdout can't be written", e)),
        _ => Ok(()),
    }
}

/// Writes a line, or several, to stderr.
pub(super) fn note(text: &str) {
    let line = format!("{}\n", text.trim_end());
    drop(io::stderr().lock().write_all(line.as_bytes()));
}

/// Writes an error, what caused it and what would help to stderr.
pub(super) fn error(error: &Error) {
    note(&error_text(error, colour()));
}

/// Whether stderr takes colour.
fn colour() -> bool {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    io::stderr().is_terminal() && set("NO_COLOR").is_none() && set("TERM").is_none_or(|term| term != "dumb")
}

fn error_text(error: &Error, colour: bool) -> String {
    let label = |code: &str, name: &str| match colour {
        true => format!("\x1b[{code}m{name}:\x1b[0m"),
        false => format!("{name}:"),
    };
    let mut text = format!("{} {error}", label("1;31", "error"));
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let _ = write!(text, "\n{} {cause}", label("1", "caused by"));
        source = cause.source();
    }
    if let Some(hint) = error.hint() {
        let _ = write!(text, "\n{} {hint}", label("1;36", "hint"));
    }
    text
}

#[cfg(test)]
mod tests {
    use weir::error::{Invalid, Place};

    use super::*;

    #[test]
    fn an_error_says_what_where_and_what_would_help() {
        let place = Place { file: "p.toml".into(), line: 3, column: 9 };
        let error = Invalid::new("`flighs` is not a function").at(place).hint("did you mean `flights`?").into();
        let plain = "error: p.toml:3:9: `flighs` is not a function\nhint: did you mean `flights`?";
        assert_eq!(error_text(&error, false), plain);
        let coloured = error_text(&error, true);
        assert!(coloured.starts_with("\x1b[1;31merror:\x1b[0m p.toml"), "{coloured:?}");
        assert_eq!(coloured.matches("\x1b[0m").count(), 2);
    }

    #[test]
    fn an_error_says_what_the_system_said() {
        let error = Error::source_io("a.csv can't be read", io::Error::other("the disk is on fire"));
        assert_eq!(error_text(&error, false), "error: a.csv can't be read\ncaused by: the disk is on fire");
    }
}
