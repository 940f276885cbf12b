extern crate weir_guest as weir;

#[derive(weir::Parameters)]
struct Sum;

#[weir::aggregate]
impl Sum {
    fn create(&self) -> i64 {
        0
    }
    fn accumulate(&self, sum: &mut i64, value: i64) {
        *sum += value;
    }
    fn finish(&self, sum: &i64) -> i64 {
        *sum
    }
}

fn main() {}
