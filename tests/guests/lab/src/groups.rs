//! Functions of whole groups, which fail and panic on cue.

/// The texts of a group in the order of time, three to a row. A negative number fails the group; `at` is
/// panicked on.
#[weir::group_flat_map]
pub fn trail(id: &[&str], n: &[Option<i64>], #[param(default = -1000)] at: i64) -> Result<Vec<String>, String> {
    for n in n.iter().flatten() {
        assert!(*n != at, "{n} is the one");
        if *n < 0 {
            return Err(format!("{n} is negative"));
        }
    }
    Ok(id.chunks(3).map(|ids| ids.join(",")).collect())
}
