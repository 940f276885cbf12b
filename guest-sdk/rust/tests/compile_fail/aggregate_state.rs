extern crate weir_guest as weir;

struct State(i64);

#[derive(weir::Parameters)]
struct Sum;

#[weir::aggregate]
impl Sum {
    fn create(&self) -> State {
        State(0)
    }
    fn accumulate(&self, sum: &mut State, value: i64) {
        sum.0 += value;
    }
    fn merge(&self, sum: &mut State, other: State) {
        sum.0 += other.0;
    }
    fn finish(&self, sum: &State) -> i64 {
        sum.0
    }
}

fn main() {}
