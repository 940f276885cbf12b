//! A random pipeline, its input, and the settings to run it with.

use std::fmt::Write;

use weir::flow::Options;
use weir::sandbox::Reuse;

use crate::random::Random;

/// A pipeline and its input.
#[derive(Clone)]
pub(super) struct Scenario {
    pub(super) out_of_order_s: i64,
    pub(super) steps: Vec<Step>,
    pub(super) window: Option<Window>,
    /// The rows of each file.
    pub(super) partitions: Vec<Vec<Row>>,
}

/// A row of the source: a time in seconds, a key, a text that is the row's own, and two numbers.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) at: i64,
    pub(super) k: Option<&'static str>,
    pub(super) id: String,
    pub(super) n: Option<i64>,
    pub(super) c: i64,
}

/// A step before the window. Each goes with a function of the lab.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// Keeps the even numbers.
    Even,
    /// Keeps numbers below 100; negative ones fail.
    Picky,
    /// Twice the number, in its place.
    Double,
    /// Fails on this number.
    Panics(i64),
    /// `c` copies.
    Repeat,
    /// `lab.tally` by this key, forgotten after so many seconds; panics on this number.
    Tally(&'static [&'static str], Option<i64>, i64),
}

/// Windows of so many seconds. `picky`: with an
/// aggregate that fails on negative numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    pub(super) kind: Kind,
    /// Of a count window: its rows.
    pub(super) size_s: i64,
    pub(super) offset_s: i64,
    pub(super) emit: Emit,
    pub(super) lateness_s: i64,
    /// Whether late rows are a stream of their own.
    pub(super) side: bool,
    /// Whether a function gets whole groups, in place of aggregates.
    pub(super) whole: bool,
    pub(super) key: &'static [&'static str],
    pub(super) picky: bool,
}

/// How windows follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// One after the other.
    Tumbling,
    /// One every so many seconds, at most the size.
    Hopping(i64),
    /// Each so many seconds longer than the one before, up to the size.
    Cumulating(i64),
    /// As long as rows follow each other within the size, which is the gap.
    Session,
    /// So many rows, every so many rows.
    Count(i64),
    /// All rows.
    Global,
}

/// When windows give results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Emit {
    /// At their end.
    Final,
    /// Before that too, every so many seconds of the watermark.
    Every(i64),
    /// When they change.
    Changes,
}

impl Window {
    /// Whether a result says if it is early, final or late.
    pub(super) fn tells(&self) -> bool {
        matches!(self.emit, Emit::Every(_)) || (self.emit == Emit::Final && self.lateness_s > 0)
    }
    /// The start and end of every window that a time is in, the earliest end first.
    pub(super) fn around(&self, at: i64) -> Vec<(i64, i64)> {
        let Self { size_s: size, offset_s: offset, .. } = *self;
        let block = at - (at - offset).rem_euclid(size);
        match self.kind {
            Kind::Tumbling => vec![(block, block + size)],
            Kind::Session => vec![(at, at + size)],
            Kind::Count(_) => vec![],
            Kind::Global => vec![(i64::MIN, i64::MAX)],
            Kind::Hopping(step) => {
                let last = at - (at - offset).rem_euclid(step);
                let starts = (0..).map(|n| last - n * step).take_while(|start| start + size > at);
                let mut windows: Vec<_> = starts.map(|start| (start, start + size)).collect();
                windows.reverse();
                windows
            }
            Kind::Cumulating(step) => {
                (1..=size / step).map(|n| (block, block + n * step)).filter(|(_, end)| *end > at).collect()
            }
        }
    }

    /// The longest slice of time that no window's edge cuts.
    pub(super) fn pane(&self) -> i64 {
        match self.kind {
            Kind::Tumbling | Kind::Session | Kind::Count(_) | Kind::Global => self.size_s,
            Kind::Cumulating(step) => step,
            Kind::Hopping(step) => (1..=step).rev().find(|n| step % n == 0 && self.size_s % n == 0).unwrap_or(1),
        }
    }
}

/// The keys that there may be.
const KEYS: [&[&str]; 4] = [&[], &["k"], &["k", "c"], &["n"]];

impl Scenario {
    pub(super) fn random(random: &mut Random) -> Self {
        let step = |random: &mut Random| match random.of(0..7) {
            0 => Step::Even,
            1 => Step::Picky,
            2 => Step::Double,
            3 => Step::Panics(random.of(0..60)),
            4 => Step::Repeat,
            _ => {
                let ttl = (!random.once_in(3)).then(|| random.of(1..40));
                Step::Tally(KEYS[random.of(0..4) as usize], ttl, random.of(0..60))
            }
        };
        let window = |random: &mut Random| {
            let step = random.of(1..13);
            let (kind, size_s) = match random.of(0..8) {
                2 | 3 => (Kind::Session, random.of(1..9)),
                4 => {
                    let step = random.of(1..7);
                    (Kind::Count(step), step + random.of(0..12))
                }
                5 => (Kind::Global, 1),
                0 => (Kind::Hopping(step), step + random.of(0..40)),
                1 => (Kind::Cumulating(step), step * random.of(1..6)),
                _ => (Kind::Tumbling, random.of(1..60)),
            };
            let timed = !matches!(kind, Kind::Count(_) | Kind::Global);
            let emit = match random.of(0..4) {
                _ if matches!(kind, Kind::Count(_)) => Emit::Final,
                0 => Emit::Every(random.of(1..30)),
                1 => Emit::Changes,
                _ => Emit::Final,
            };
            Window {
                kind,
                size_s,
                offset_s: random.of(-70..70),
                emit,
                lateness_s: if timed && random.once_in(3) { random.of(1..40) } else { 0 },
                side: timed && random.once_in(3),
                whole: kind != Kind::Global && random.once_in(4),
                key: KEYS[random.of(0..4) as usize],
                picky: random.once_in(3),
            }
        };
        Self {
            out_of_order_s: random.of(0..30),
            steps: (0..random.of(0..4)).map(|_| step(random)).collect(),
            window: (!random.once_in(4)).then(|| window(random)),
            partitions: (0..random.of(1..4)).map(|_| partition(random)).collect(),
        }
    }

    /// The pipeline file.
    pub(super) fn pipeline(&self) -> String {
        let mut text = format!(
            "[functions]\nlab = \"lab.wasm\"\n\n[source]\nfile = \"in-*.csv\"\n\
             schema = {{ at = \"timestamp\", k = \"text?\", id = \"text\", n = \"int64?\", c = \"int64\" }}\n\
             event-time = {{ column = \"at\", out-of-order = \"{}s\" }}\n",
            self.out_of_order_s
        );
        for step in &self.steps {
            let step = match step {
                Step::Even => "filter = \"lab.even\"".to_owned(),
                Step::Picky => "filter = \"lab.picky\"".to_owned(),
                Step::Double => "map = \"lab.double\"\nas = \"n\"".to_owned(),
                Step::Panics(at) => format!("map = \"lab.panics_on(n, at = {at})\"\nas = \"n\""),
                Step::Repeat => "flat-map = \"lab.repeat(c)\"".to_owned(),
                Step::Tally(key, ttl, at) => {
                    let ttl = ttl.map_or(String::new(), |ttl| format!("\nttl = \"{ttl}s\""));
                    let call = format!("stateful-map = \"lab.tally(n, id, at = {at})\"");
                    format!("key-by = {key:?}\n{call}\nas = [\"n\", \"before\"]{ttl}")
                }
            };
            let _ = write!(text, "\n[[steps]]\n{step}\n");
        }
        let side = self.window.is_some_and(|window| window.side);
        if let Some(Window { kind, size_s, offset_s, emit, lateness_s, side, whole, key, picky }) = self.window {
            let offset = match kind {
                Kind::Tumbling | Kind::Hopping(_) | Kind::Cumulating(_) => format!(", offset = \"{offset_s}s\""),
                Kind::Session | Kind::Count(_) | Kind::Global => String::new(),
            };
            let kind = match kind {
                Kind::Tumbling => format!("tumbling = \"{size_s}s\""),
                Kind::Hopping(step) => format!("hopping = \"{size_s}s\", step = \"{step}s\""),
                Kind::Cumulating(step) => format!("cumulating = \"{size_s}s\", step = \"{step}s\""),
                Kind::Session => format!("session = \"{size_s}s\""),
                Kind::Count(step) => format!("count = {size_s}, step = {step}"),
                Kind::Global => "global = true".to_owned(),
            };
            let _ = write!(text, "\n[[steps]]\nkey-by = {key:?}\n");
            let _ = writeln!(text, "window = {{ {kind}{offset} }}");
            match emit {
                Emit::Final => {}
                Emit::Every(seconds) => drop(writeln!(text, "emit = {{ every = \"{seconds}s\" }}")),
                Emit::Changes => text.push_str("emit = \"changes\"\n"),
            }
            if lateness_s > 0 {
                let _ = writeln!(text, "allowed-lateness = \"{lateness_s}s\"");
            }
            if side {
                text.push_str("late = \"side\"\n");
            }
            if whole {
                text.push_str("group-map = \"lab.trail(id, c)\"\n");
            } else {
                text.push_str("aggregate.ids = \"lab.join(id)\"\naggregate.range = \"lab.span(n)\"\n");
            }
            if picky && !whole {
                text.push_str("aggregate.sum = \"lab.sum_picky(n)\"\n");
            }
        }
        if side {
            text.push_str("\n[sinks.late]\nfrom = \"window.late\"\nfile = \"late.jsonl\"\n");
        }
        text.push_str("\n[sinks.out]\nfile = \"out.jsonl\"\n\n[dead-letters]\nfile = \"dead-letters.jsonl\"\n");
        text
    }
}

fn partition(random: &mut Random) -> Vec<Row> {
    let (rows, disorder, gap) = (random.of(0..120), random.of(1..40), random.of(1..4));
    let mut now = random.of(-100..100);
    let row = |_| {
        now += random.of(0..gap + 1);
        Row {
            at: now - random.of(0..disorder),
            k: *random.pick(&[None, Some("a"), Some("b"), Some("é")]),
            id: format!("r{}", random.of(0..1000)),
            n: (!random.once_in(6)).then(|| random.of(-4..70)),
            c: random.of(0..4),
        }
    };
    (0..rows).map(row).collect()
}

/// The rows as a file.
pub(super) fn csv(rows: &[Row]) -> String {
    let mut text = "at,k,id,n,c\n".to_owned();
    for Row { at, k, id, n, c } in rows {
        let n = n.map_or(String::new(), |n| n.to_string());
        let _ = writeln!(text, "{},{},{id},{n},{c}", time(*at), k.unwrap_or_default());
    }
    text
}

/// Seconds as ISO 8601, a few days around 1970.
pub(super) fn time(seconds: i64) -> String {
    let day = match seconds.div_euclid(86_400) {
        -1 => "1969-12-31",
        0 => "1970-01-01",
        _ => panic!("{seconds} s are out of the model's range"),
    };
    let second = seconds.rem_euclid(86_400);
    format!("{day}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
}

/// How to run it.
pub(super) fn options(random: &mut Random) -> Options {
    Options {
        workers: random.of(1..4) as usize,
        batch_rows: random.of(1..40) as usize,
        epoch_rows: random.of(1..150) as usize,
        reuse: *random.pick(&[Reuse::UntilFault, Reuse::Never]),
        ..Options::default()
    }
}
