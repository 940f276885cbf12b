extern crate weir_guest as weir;

#[derive(weir::Accumulator)]
struct State<'a> {
    text: &'a str,
}

fn main() {}
