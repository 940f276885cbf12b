//! What things are called in Redis. The layout is documented for other programs in `docs/state.md`.

use super::json;
use crate::state::Pane;

/// The pane of a step that keeps all its state in one.
const ALL: &str = "all";

/// What the names of all keys of a pipeline start with.
pub(super) fn base(prefix: &str, pipeline: &str) -> String {
    format!("{prefix}:{}", part(pipeline))
}

/// What the names of all keys of a step start with, or of an index to its state.
pub(super) fn step(base: &str, step: &str, index: Option<&str>) -> String {
    match index {
        None => format!("{base}:{}", part(step)),
        Some(index) => format!("{base}:{}:{index}", part(step)),
    }
}

/// The name of a pane's hash.
pub(super) fn hash(step: &str, pane: Pane) -> String {
    let start = match pane.start {
        i64::MIN => ALL.to_owned(),
        us => json::timestamp(us).unwrap_or_else(|| us.to_string()),
    };
    match pane.variant {
        0 => format!("{step}:{start}"),
        more => format!("{step}:{start}/{more}"),
    }
}

/// A pattern for all keys of a pipeline.
pub(super) fn pattern(base: &str) -> String {
    let mut pattern = String::with_capacity(base.len() + 2);
    for c in base.chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '\\' | '^' | '-') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern + ":*"
}

/// A name without what separates names.
fn part(name: &str) -> String {
    name.replace('%', "%25").replace(':', "%3A")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_pipelines_steps_and_panes_apart() {
        let base = base("weir", "a:b");
        assert_eq!(base, "weir:a%3Ab");
        let of = step(&base, "by minute", None);
        let pane = |start, variant| hash(&of, Pane { start, variant });
        assert_eq!(pane(0, 0), "weir:a%3Ab:by minute:1970-01-01T00:00:00Z");
        assert_eq!(pane(-1, 60), "weir:a%3Ab:by minute:1969-12-31T23:59:59.999999Z/60");
        assert_eq!(pane(i64::MAX, 0), format!("weir:a%3Ab:by minute:{}", i64::MAX));
        assert_eq!(pane(i64::MIN, 0), "weir:a%3Ab:by minute:all");
        let index = step(&base, "by minute", Some("ends"));
        assert_eq!(hash(&index, Pane { start: 0, variant: 0 }), "weir:a%3Ab:by minute:ends:1970-01-01T00:00:00Z");
        assert_eq!(pattern("weir:[x]*"), "weir:\\[x\\]\\*:*");
    }
}
