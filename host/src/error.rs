//! What can go wrong, by whom it has to be mended.
//!
//! [`Error`] is what the library returns. The variants are the kinds: what the user wrote, what
//! the user's function did, what the world outside did, and our own bugs. The rim (`main`) prints
//! `error:`, `caused by:` and `hint:` lines from it and exits with [`Error::exit_code`].

use std::fmt;
use std::path::PathBuf;

/// A result of the library.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Anything that stops a pipeline or keeps it from starting.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A pipeline file, a component or an argument is not right. Nothing has run.
    #[error("{0}")]
    Invalid(Box<Invalid>),
    /// A function failed and the step's policy is to stop.
    #[error("{0}")]
    Function(String),
    /// A source can't be read.
    #[error("{message}")]
    Source {
        /// Which one, and where in it.
        message: String,
        /// What the system said.
        #[source]
        cause: Option<std::io::Error>,
    },
    /// A sink, a report or a dead-letter file can't be written.
    #[error("{message}")]
    Sink {
        /// Which one.
        message: String,
        /// What the system said.
        #[source]
        cause: Option<std::io::Error>,
    },
    /// A function's source can't be built.
    #[error("{message}")]
    Build {
        /// Which function, and what the compiler said.
        message: String,
        /// What would help.
        hint: Option<String>,
    },
    /// State can't be kept on disk or in Redis.
    #[error("{message}")]
    State {
        /// Whose state, and where.
        message: String,
        /// What would help.
        hint: Option<String>,
        /// What the system or the server said.
        #[source]
        cause: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// A component was inspected, and is not fit to run.
    #[error("{0}")]
    Unfit(String),
    /// Another process of the same run has failed, or is gone.
    #[error("{message}")]
    Peer {
        /// Which one, and what is known of it.
        message: String,
    },
    /// A checkpoint can't be written, read, or resumed from.
    #[error("{message}")]
    Checkpoint {
        /// Which one, and what is wrong with it.
        message: String,
        /// What would help.
        hint: Option<String>,
        /// What the system said.
        #[source]
        cause: Option<std::io::Error>,
    },
    /// An invariant of ours does not hold.
    #[error("{0} (this is a bug in weir; please report it)")]
    Bug(String),
}

impl Error {
    /// An [`Error::Invalid`] without a place.
    pub fn invalid(message: impl Into<String>) -> Self {
        Invalid::new(message).into()
    }

    /// An [`Error::Source`] with what the system said.
    pub fn source_io(message: impl Into<String>, cause: std::io::Error) -> Self {
        Self::Source { message: message.into(), cause: Some(cause) }
    }

    /// An [`Error::Sink`] with what the system said.
    pub fn sink_io(message: impl Into<String>, cause: std::io::Error) -> Self {
        Self::Sink { message: message.into(), cause: Some(cause) }
    }

    /// An [`Error::Peer`].
    pub fn peer(message: impl Into<String>) -> Self {
        Self::Peer { message: message.into() }
    }

    /// The exit code of the command that ends with this error.
    ///
    /// | code | meaning |
    /// | --- | --- |
    /// | 1 | a bug in weir |
    /// | 2 | the pipeline, a component or the arguments are not right; nothing has run |
    /// | 3 | a function failed and the policy is to stop |
    /// | 4 | a source can't be read |
    /// | 5 | a sink, a report or a dead-letter file can't be written |
    /// | 6 | a function can't be built from its source |
    /// | 7 | state can't be kept on disk or in Redis |
    /// | 8 | a component was inspected, and is not fit to run |
    /// | 9 | another process of the run has failed or is gone |
    /// | 10 | a checkpoint can't be written, read or resumed from |
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Bug(_) => 1,
            Self::Invalid(_) => 2,
            Self::Function(_) => 3,
            Self::Source { .. } => 4,
            Self::Sink { .. } => 5,
            Self::Build { .. } => 6,
            Self::State { .. } => 7,
            Self::Unfit(_) => 8,
            Self::Peer { .. } => 9,
            Self::Checkpoint { .. } => 10,
        }
    }

    /// What the user might do about it.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Invalid(invalid) => invalid.hint.as_deref(),
            Self::Build { hint, .. } | Self::State { hint, .. } | Self::Checkpoint { hint, .. } => hint.as_deref(),
            _ => None,
        }
    }
}

/// What is not right, where it stands and what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// What is wrong, with the offending value.
    pub message: String,
    /// The file, and the line and column in it, both from 1.
    pub place: Option<Place>,
    /// What would be right.
    pub hint: Option<String>,
}

/// A place in a file the user wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: PathBuf,
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
}

impl Invalid {
    /// Something wrong with no place in a file.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), place: None, hint: None }
    }

    /// With what would be right.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// With what would be right, where that is known.
    #[must_use]
    pub fn hint_opt(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }

    /// With where it stands.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(Place { file, line, column }) = &self.place {
            write!(f, "{}:{line}:{column}: ", file.display())?;
        }
        f.write_str(&self.message)
    }
}

impl From<Invalid> for Error {
    fn from(invalid: Invalid) -> Self {
        Self::Invalid(Box::new(invalid))
    }
}
