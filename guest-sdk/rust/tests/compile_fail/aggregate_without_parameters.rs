extern crate weir_guest as weir;

struct Count;

#[weir::aggregate]
impl Count {
    fn create(&self) -> i64 {
        0
    }
    fn accumulate(&self, count: &mut i64) {
        *count += 1;
    }
    fn merge(&self, count: &mut i64, other: i64) {
        *count += other;
    }
    fn finish(&self, count: &i64) -> i64 {
        *count
    }
}

fn main() {}
