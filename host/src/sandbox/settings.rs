//! The limits as they are written: a name, a kind of amount, and what it is for. One table, which pipeline files,
//! ceilings, dead letters, reports and the documentation are made from.

use std::fmt;
use std::time::Duration;

use super::limits::{Limits, STACKS};

/// How much of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Amount {
    /// Bytes: `"64MiB"`.
    Bytes(u64),
    /// A duration: `"1s"`.
    Time(Duration),
    /// A number of things: `1000`.
    Count(u64),
}

impl fmt::Display for Amount {
    /// As it is written in a pipeline file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Count(n) => write!(f, "{n}"),
            Self::Time(time) => match time.as_micros() {
                us if us % 1_000_000 == 0 => write!(f, "{}s", us / 1_000_000),
                us if us % 1_000 == 0 => write!(f, "{}ms", us / 1_000),
                us => write!(f, "{us}us"),
            },
            Self::Bytes(n) => match n {
                0 => f.write_str("0B"),
                n if n % (1 << 30) == 0 => write!(f, "{}GiB", n >> 30),
                n if n % (1 << 20) == 0 => write!(f, "{}MiB", n >> 20),
                n if n % (1 << 10) == 0 => write!(f, "{}KiB", n >> 10),
                n => write!(f, "{n}B"),
            },
        }
    }
}

/// What an amount is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// [`Amount::Bytes`].
    Bytes,
    /// [`Amount::Time`].
    Time,
    /// [`Amount::Count`].
    Count,
}

/// One limit.
#[derive(Debug)]
pub struct Setting {
    /// Its name in a pipeline file.
    pub name: &'static str,
    /// What its amount is of.
    pub unit: Unit,
    /// What it limits, in a few words.
    pub doc: &'static str,
    /// What limits say; `None`: nothing.
    pub get: fn(&Limits) -> Option<Amount>,
    /// Puts an amount of the setting's unit into limits.
    pub set: fn(&mut Limits, Amount),
    /// Which amounts make no sense, whatever the ceiling.
    pub problem: fn(Amount) -> Option<String>,
}

/// An amount as a number of bytes, microseconds or things.
fn number(amount: Amount) -> u64 {
    match amount {
        Amount::Bytes(n) | Amount::Count(n) => n,
        Amount::Time(time) => u64::try_from(time.as_micros()).unwrap_or(u64::MAX),
    }
}

fn size(amount: Amount) -> usize {
    usize::try_from(number(amount)).unwrap_or(usize::MAX)
}

/// No limit at all is no limit: nothing could run.
fn nothing(amount: Amount) -> Option<String> {
    (number(amount) == 0).then(|| "nothing at all lets no function run".to_string())
}

fn anything(_: Amount) -> Option<String> {
    None
}

fn stack(amount: Amount) -> Option<String> {
    (!STACKS.contains(&size(amount))).then(|| {
        let all: Vec<_> = STACKS.iter().map(|s| format!("`{}`", Amount::Bytes(*s as u64))).collect();
        format!("`{amount}` is no stack that there is; there are {}", all.join(", "))
    })
}

fn memory(amount: Amount) -> Option<String> {
    match number(amount) {
        0 => Some("a memory of nothing lets no function start".to_string()),
        n if n > 4 << 30 => Some(format!("`{amount}` is more than the 4GiB that WebAssembly can address")),
        _ => None,
    }
}

fn time(amount: Amount) -> Option<String> {
    (number(amount) == 0).then(|| format!("`{amount}` for a batch lets no function run"))
}

macro_rules! setting {
    ($name:literal, Bytes, $field:ident, $problem:ident, $doc:literal) => {
        Setting {
            name: $name,
            unit: Unit::Bytes,
            doc: $doc,
            get: |l| Some(Amount::Bytes(l.$field as u64)),
            set: |l, a| l.$field = size(a),
            problem: $problem,
        }
    };
    ($name:literal, Count, $field:ident, $problem:ident, $doc:literal) => {
        Setting {
            name: $name,
            unit: Unit::Count,
            doc: $doc,
            get: |l| Some(Amount::Count(l.$field as u64)),
            set: |l, a| l.$field = size(a) as _,
            problem: $problem,
        }
    };
    ($name:literal, Time, $field:ident, $problem:ident, $doc:literal) => {
        Setting {
            name: $name,
            unit: Unit::Time,
            doc: $doc,
            get: |l| Some(Amount::Time(l.$field)),
            set: |l, a| l.$field = Duration::from_micros(number(a)),
            problem: $problem,
        }
    };
}

/// All limits.
pub const ALL: &[Setting] = &[
    setting!("memory", Bytes, memory_bytes_max, memory, "linear memory of an instance, all its memories together"),
    setting!("batch-time", Time, batch_time_max, time, "time for one call, which is one batch"),
    Setting {
        name: "fuel-per-row",
        unit: Unit::Count,
        doc: "WebAssembly instructions for each row, about; a call gets 100,000 more",
        get: |l| l.fuel_per_row.map(Amount::Count),
        set: |l, a| l.fuel_per_row = Some(number(a)),
        problem: nothing,
    },
    setting!("stack", Bytes, stack_bytes_max, stack, "stack: 64KiB, 128KiB, 256KiB, 512KiB or 1MiB"),
    setting!("table-elements", Count, table_elements_max, anything, "elements of all tables of an instance together"),
    setting!("tables", Count, tables_max, anything, "tables inside an instance"),
    setting!("instances", Count, instances_max, nothing, "core instances inside an instance"),
    setting!("memories", Count, memories_max, nothing, "linear memories inside an instance"),
    setting!("handles", Count, handles_max, anything, "handles of resources that an instance holds"),
    setting!("output-rows", Count, output_rows_max, nothing, "rows that one call returns"),
    setting!("output", Bytes, output_bytes_max, nothing, "bytes that one call returns"),
    setting!("text", Bytes, text_bytes_max, nothing, "one text or bytes value that is returned"),
    setting!("message", Bytes, message_bytes_max, anything, "an error message; the rest of it is cut off"),
    setting!("log-lines", Count, log_lines_max, anything, "log lines of a call that are kept, the last ones"),
    setting!("log", Bytes, log_bytes_max, anything, "bytes of log of a call that are kept, the last ones"),
    setting!("host-calls", Count, host_calls_max, anything, "calls of the host in one call"),
    setting!("component", Bytes, component_bytes_max, nothing, "the component"),
    setting!("functions", Count, functions_max, nothing, "functions that a component offers"),
    setting!("columns", Count, columns_max, anything, "columns, and parameters, of one function"),
    setting!("name", Bytes, name_bytes_max, nothing, "the name of a function, column or parameter"),
    setting!("doc", Bytes, doc_bytes_max, anything, "what a function or parameter says of itself"),
    setting!("core-functions", Count, core_functions_max, nothing, "core functions inside a component"),
    setting!("core-function", Bytes, body_bytes_max, nothing, "the body of one core function"),
    setting!("nesting", Count, nesting_max, nothing, "how deep components stand in components"),
    setting!("compile-time", Time, compile_time_max, nothing, "time for compiling a component"),
    setting!("compile-memory", Bytes, compile_memory_bytes_max, nothing, "address space for compiling a component"),
];

/// The setting of that name.
pub fn find(name: &str) -> Option<&'static Setting> {
    ALL.iter().find(|setting| setting.name == name)
}

/// What differs from the defaults, as it would be written.
pub fn changed(limits: &Limits) -> impl Iterator<Item = (&'static str, Amount)> {
    let changed = |setting: &'static Setting| {
        let amount = (setting.get)(limits)?;
        (Some(amount) != (setting.get)(&Limits::default())).then_some((setting.name, amount))
    };
    ALL.iter().filter_map(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_as_they_are_read() {
        let amounts = [Amount::Bytes(64 << 20), Amount::Bytes(1000), Amount::Time(Duration::from_millis(1500))];
        assert_eq!(amounts.map(|a| a.to_string()), ["64MiB", "1000B", "1500ms"]);
    }

    #[test]
    fn what_is_set_is_what_is_got() {
        for setting in ALL {
            let amount = match setting.unit {
                Unit::Bytes => Amount::Bytes(12_345),
                Unit::Time => Amount::Time(Duration::from_millis(12)),
                Unit::Count => Amount::Count(12),
            };
            let mut limits = Limits::default();
            (setting.set)(&mut limits, amount);
            assert_eq!((setting.get)(&limits), Some(amount), "{}", setting.name);
            assert_eq!(changed(&limits).collect::<Vec<_>>(), [(setting.name, amount)]);
        }
    }

    /// The table of the documentation is this one.
    #[test]
    fn the_documentation_has_every_limit_with_its_default_and_its_ceiling() {
        let docs = include_str!("../../../docs/pipeline.md");
        let (default, most) = (Limits::default(), super::super::limits::Ceiling::default().limits());
        let text = |amount: Option<Amount>| match amount {
            None => "none".to_string(),
            Some(Amount::Count(n)) => n.to_string(),
            Some(amount) => format!("`\"{amount}\"`"),
        };
        for setting in ALL {
            let amounts = (text((setting.get)(&default)), text((setting.get)(&most)));
            let line = format!("| `{}` | {} | {} | {} |", setting.name, amounts.0, amounts.1, setting.doc);
            assert!(docs.contains(&line), "docs/pipeline.md has no line\n{line}");
        }
    }
}
