//! A random join, its two streams, and the settings to run it with.

use std::fmt::Write;

use weir::flow::Options;
use weir::sandbox::Reuse;

use crate::random::Random;

/// A join and its input.
pub(super) struct Scenario {
    pub(super) pairing: Pairing,
    /// Whether left rows without a partner come out.
    pub(super) left_join: bool,
    /// The key's columns, left and right.
    pub(super) key: &'static [(&'static str, &'static str)],
    /// How far the rows of either side are out of order, in seconds.
    pub(super) bounds_s: [i64; 2],
    /// The rows of each file of the left and of the right stream.
    pub(super) sides: [Vec<Vec<Row>>; 2],
    /// A tumbling window behind the join: which tells whether its watermark is right.
    pub(super) then_s: Option<i64>,
    /// Whether right rows are on every worker.
    pub(super) broadcast: bool,
}

/// Which rows go together; in seconds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Pairing {
    Tumbling { size: i64, offset: i64 },
    Hopping { size: i64, step: i64, offset: i64 },
    Cumulating { size: i64, step: i64, offset: i64 },
    Within { before: i64, after: i64 },
}

/// A row of either side.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) at: i64,
    pub(super) k: Option<&'static str>,
    pub(super) c: i64,
    pub(super) id: String,
}

const KEYS: [&[(&str, &str)]; 3] = [&[("k", "k")], &[("c", "d")], &[("k", "k"), ("c", "d")]];

impl Scenario {
    pub(super) fn random(random: &mut Random) -> Self {
        let (step, offset) = (random.of(1..9), random.of(-40..40));
        let pairing = match random.of(0..7) {
            0 => Pairing::Tumbling { size: random.of(1..30), offset },
            1 => Pairing::Hopping { size: step + random.of(0..20), step, offset },
            2 => Pairing::Cumulating { size: step * random.of(1..5), step, offset },
            _ => {
                let before = random.of(-12..20);
                Pairing::Within { before, after: random.of(-before..-before + 25) }
            }
        };
        let mut side = |name: &str| {
            let partitions = random.of(1..4);
            (0..partitions).map(|i| rows(random, &format!("{name}{i}."))).collect()
        };
        let sides = [side("l"), side("r")];
        Self {
            pairing,
            left_join: random.once_in(2),
            key: KEYS[random.of(0..3) as usize],
            bounds_s: [random.of(0..20), random.of(0..20)],
            sides,
            then_s: random.once_in(3).then(|| random.of(1..20)),
            broadcast: random.once_in(3),
        }
    }

    /// The pipeline file.
    pub(super) fn pipeline(&self) -> String {
        let mut text = String::from("[functions]\nlab = \"lab.wasm\"\n");
        for (name, column, bound) in [("left", "c", self.bounds_s[0]), ("right", "d", self.bounds_s[1])] {
            let _ = write!(
                text,
                "\n[sources.{name}]\nfile = \"{name}-*.csv\"\n\
                 schema = {{ at = \"timestamp\", k = \"text?\", {column} = \"int64\", id = \"text\" }}\n\
                 event-time = {{ column = \"at\", out-of-order = \"{bound}s\" }}\n"
            );
        }
        let on: Vec<String> = self.key.iter().map(|(l, r)| format!("{l} = \"{r}\"")).collect();
        let on = on.join(", ");
        let kind = if self.left_join { "left" } else { "inner" };
        let pairing = match self.pairing {
            Pairing::Tumbling { size, offset } => {
                format!("window = {{ tumbling = \"{size}s\", offset = \"{offset}s\" }}")
            }
            Pairing::Hopping { size, step, offset } => {
                format!("window = {{ hopping = \"{size}s\", step = \"{step}s\", offset = \"{offset}s\" }}")
            }
            Pairing::Cumulating { size, step, offset } => {
                format!("window = {{ cumulating = \"{size}s\", step = \"{step}s\", offset = \"{offset}s\" }}")
            }
            Pairing::Within { before, after } => {
                format!("within = {{ before = \"{before}s\", after = \"{after}s\" }}")
            }
        };
        let _ = write!(
            text,
            "\n[[steps]]\nfrom = \"left\"\njoin = \"right\"\non = {{ {on} }}\nkind = \"{kind}\"\nprefix = \"r_\"\nbroadcast = {}\n{pairing}\n",
            self.broadcast
        );
        if let Some(size) = self.then_s {
            let _ = write!(
                text,
                "\n[[steps]]\nkey-by = [\"c\"]\nwindow = {{ tumbling = \"{size}s\" }}\n\
                 aggregate = {{ lefts = \"lab.join(id)\", rights = \"lab.join(r_id)\" }}\n"
            );
        }
        text.push_str("\n[sink]\nfile = \"out.jsonl\"\n");
        text
    }
}

fn rows(random: &mut Random, name: &str) -> Vec<Row> {
    let (rows, disorder, gap) = (random.of(0..60), random.of(1..25), random.of(1..4));
    let mut now = random.of(-60..60);
    let row = |i| {
        now += random.of(0..gap + 1);
        Row {
            at: now - random.of(0..disorder),
            k: *random.pick(&[
                None,
                Some("a"),
                Some("b"),
                Some("a name longer than sixteen bytes"),
                Some("a name longer than others"),
            ]),
            c: random.of(-1..3),
            id: format!("{name}{i}"),
        }
    };
    (0..rows).map(row).collect()
}

/// The rows as a file.
pub(super) fn csv(rows: &[Row], side: &str) -> String {
    let mut text = format!("at,k,{},id\n", if side == "left" { "c" } else { "d" });
    for Row { at, k, c, id } in rows {
        let _ = writeln!(text, "{},{},{c},{id}", time(*at), k.unwrap_or_default());
    }
    text
}

/// Seconds as ISO 8601, a day around 1970.
pub(super) fn time(seconds: i64) -> String {
    let day = if seconds < 0 { "1969-12-31" } else { "1970-01-01" };
    let second = seconds.rem_euclid(86_400);
    format!("{day}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
}

/// How to run it.
pub(super) fn options(random: &mut Random) -> Options {
    Options {
        workers: random.of(1..4) as usize,
        batch_rows: random.of(1..40) as usize,
        epoch_rows: random.of(1..70) as usize,
        reuse: Reuse::UntilFault,
        ..Options::default()
    }
}
