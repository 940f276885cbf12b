//! Functions with a state, which fail and panic on cue.

/// How many rows of its key there were that did not fail, and which was the last.
#[derive(Clone, Debug, Default, weir::Accumulator)]
pub struct Tally {
    rows: i64,
    last: Option<String>,
}

/// A row of what is known of the key.
#[derive(Debug, weir::Row)]
pub struct Tallied {
    tally: i64,
    before: Option<String>,
}

/// Counts the rows of a key. None comes out for a multiple of 7, two for one of 5. A negative number fails
/// its row, when the state is spoilt already; `at` is panicked on, the same.
#[weir::stateful_flat_map]
pub fn tally(state: &mut Tally, n: i64, id: &str, #[param(default = -1000)] at: i64) -> Result<Vec<Tallied>, String> {
    state.rows += 1;
    assert!(n != at, "{n} is the one");
    if n < 0 {
        return Err(format!("{n} is negative"));
    }
    let before = state.last.replace(id.to_owned());
    let tallied = || Tallied { tally: state.rows, before: before.clone() };
    Ok(match n {
        _ if n % 7 == 0 => Vec::new(),
        _ if n % 5 == 0 => vec![tallied(), tallied()],
        _ => vec![tallied()],
    })
}
