extern crate weir_guest as weir;

#[weir::stateful_map]
fn last(state: &mut Vec<i64>, n: i64) -> i64 {
    state.push(n);
    n
}

fn main() {}
