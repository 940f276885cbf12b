//! What the rows of a key come to so far, on each of them.

/// How many rows of the key there are so far, this one included.
#[weir::stateful_map]
pub fn running_count(count: &mut i64) -> i64 {
    *count += 1;
    *count
}

/// The sum of the key's values so far, this one included. A value that takes it beyond 64 bits fails its
/// row.
#[weir::stateful_map(name = "running_sum", output = "running_sum")]
pub fn running_sum_int64(sum: &mut i64, value: i64) -> Result<i64, String> {
    *sum = sum.checked_add(value).ok_or_else(|| format!("{sum} and {value} are more than 64 bits hold"))?;
    Ok(*sum)
}

/// The sum of the key's values so far, this one included.
#[weir::stateful_map(name = "running_sum", output = "running_sum")]
pub fn running_sum_float64(sum: &mut f64, value: f64) -> f64 {
    *sum += value;
    *sum
}

#[cfg(test)]
mod tests {
    use weir::testing::{batch, rows, stateful_map};

    use super::*;

    #[test]
    fn a_sum_that_does_not_fit_fails_its_row_alone() {
        let stepped = stateful_map::<running_sum_int64>(batch([1, i64::MAX, 2])).expect("a call");
        assert_eq!(rows::<i64>(&stepped.output), Ok(vec![1, 3]));
        assert_eq!(stepped.errors.len(), 1);
    }

    #[test]
    fn counts_and_sums_go_on() {
        let mut count = 0;
        assert_eq!([running_count(&mut count), running_count(&mut count)], [1, 2]);
        let mut sum = 0.0;
        assert_eq!([running_sum_float64(&mut sum, 0.5), running_sum_float64(&mut sum, -2.0)], [0.5, -1.5]);
    }
}
