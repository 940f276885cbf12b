//! Key groups: keys hash to one of a fixed number of them, and these go to workers.

use xxhash_rust::xxh3::xxh3_64;

/// Keys hash to one of these, and these go to workers: a change of the number of workers moves
/// whole key groups.
pub const KEY_GROUPS: u32 = 1024;

/// The worker of each key group, by jump consistent hashing: one worker more takes its share from
/// all others and moves nothing else.
pub fn workers_of_key_groups(workers: usize) -> Vec<u32> {
    (0..KEY_GROUPS).map(|group| jump(u64::from(group), workers as u32)).collect()
}

/// The worker of a value, by its bytes: neighbouring ranges are on one worker where there are more of them.
pub(super) fn of_range(value: &[u8], bounds: &[Vec<u8>], workers: usize) -> u32 {
    let range = bounds.partition_point(|bound| bound.as_slice() <= value);
    (range * workers / (bounds.len() + 1)) as u32
}

/// The worker that has a key, by its bytes; `workers` are those of the key groups.
pub(in crate::flow) fn owner(key: &[u8], workers: &[u32]) -> u32 {
    match key.is_empty() {
        true => workers[0],
        false => workers[(xxh3_64(key) % u64::from(KEY_GROUPS)) as usize],
    }
}

/// Lamping and Veach, "A Fast, Minimal Memory, Consistent Hash Algorithm" (2014).
fn jump(mut key: u64, buckets: u32) -> u32 {
    let (mut bucket, mut next) = (0i64, 0i64);
    while next < i64::from(buckets) {
        bucket = next;
        key = key.wrapping_mul(2_862_933_555_777_941_757).wrapping_add(1);
        next = ((bucket + 1) as f64 * ((1u64 << 31) as f64 / ((key >> 33) + 1) as f64)) as i64;
    }
    bucket as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_worker_more_takes_its_share_and_moves_nothing_else() {
        for n in 1..8 {
            let (before, after) = (workers_of_key_groups(n), workers_of_key_groups(n + 1));
            let moved: Vec<_> = before.iter().zip(&after).filter(|(b, a)| b != a).collect();
            assert!(moved.iter().all(|(_, a)| **a == n as u32), "a group moved between old workers");
            let share = moved.len() as f64 / f64::from(KEY_GROUPS);
            let fair = 1.0 / (n + 1) as f64;
            assert!((share - fair).abs() < 0.4 * fair, "{n} to {}: {share} moved, {fair} is fair", n + 1);
        }
    }
}
