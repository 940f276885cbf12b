//! Nothing is remembered: what an instance keeps in its memory is gone with it, and shared with
//! nobody.

use weir::function::Calls;
use weir::sandbox::{Limits, Reuse};

use super::{instance, map, plain};

#[test]
fn an_instance_lives_from_call_to_call_unless_it_is_not_to() {
    let mut reused = plain("lab", "remembers", &[]);
    assert_eq!(map(&mut reused, &[7, 7]), Ok(vec![0, 1]));
    assert_eq!(map(&mut reused, &[7, 7]), Ok(vec![2, 3]));
    assert_eq!(reused.instances(), 1);

    let mut fresh = instance("lab", "remembers", &[], Limits::default(), Reuse::Never);
    for _ in 0..3 {
        assert_eq!(map(&mut fresh, &[7, 7]), Ok(vec![0, 1]));
    }
    assert_eq!(fresh.instances(), 3);
}

#[test]
fn instances_of_one_artifact_share_nothing() {
    let (mut one, mut other) = (plain("lab", "remembers", &[]), plain("lab", "remembers", &[]));
    assert_eq!(map(&mut one, &[7, 7]), Ok(vec![0, 1]));
    assert_eq!(map(&mut other, &[7, 7]), Ok(vec![0, 1]));
    assert_eq!(map(&mut one, &[7]), Ok(vec![2]));
}

#[test]
fn an_instance_that_is_reset_is_made_anew_at_the_next_call() {
    let mut instance = plain("lab", "remembers", &[]);
    assert_eq!(instance.instances(), 0, "nothing is made before it is needed");
    assert_eq!(map(&mut instance, &[7, 7]), Ok(vec![0, 1]));
    instance.reset();
    assert_eq!(map(&mut instance, &[7]), Ok(vec![0]));
    assert_eq!(instance.instances(), 2);
}
