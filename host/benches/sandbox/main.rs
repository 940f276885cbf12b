//! What the sandbox costs: each limit alone, a fault and the way back from it, a neighbour's loss, and a start with
//! components that were compiled before.
//!
//! `cargo bench -p weir --bench sandbox`; with a word behind `--`, lines whose name has it.

mod bare;
mod faults;
mod limits;
#[path = "../measure/mod.rs"]
mod measure;
mod neighbours;
mod start;

use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array};
use weir::function::{Calls, Input};
use weir::sandbox::{Artifact, Instance, Limits, Parameters, Reuse, Runtime};

/// What the command runs with.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROWS: usize = 8192;

/// What all parts measure on.
struct Bench {
    wasm: Vec<u8>,
    artifact: Arc<Artifact>,
    /// Two columns, of integers and of floats.
    numbers: Vec<ArrayRef>,
}

impl Bench {
    fn index(&self, name: &str) -> usize {
        self.artifact.functions().iter().position(|f| f.name == name).expect(name)
    }

    fn instance(&self, name: &str) -> Instance {
        let index = self.index(name);
        Instance::new(&self.artifact, index, Parameters::default(), Limits::default(), Reuse::UntilFault)
    }

    /// The columns that a function takes.
    fn columns(&self, name: &str) -> &[ArrayRef] {
        &self.numbers[..self.artifact.functions()[self.index(name)].inputs.len()]
    }
}

fn input(columns: &[ArrayRef]) -> Input<'_> {
    Input { rows: columns[0].len(), columns, now: 0, seed: 0 }
}

fn map(instance: &mut Instance, columns: &[ArrayRef]) {
    drop(std::hint::black_box(instance.map(input(columns)).expect("maps")));
}

fn main() -> anyhow::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/guest");
    let path = weir::build::component(&folder, &|_| {})?;
    let wasm = std::fs::read(&path)?;
    let artifact = Artifact::load(&Runtime::new()?, "bench guest", &wasm, &Limits::default())?;
    let numbers: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(0..ROWS as i64)),
        Arc::new(Float64Array::from_iter_values((0..ROWS).map(|i| i as f64 * 0.25))),
    ];
    let bench = Bench { wasm, artifact, numbers };
    limits::run(&bench)?;
    faults::run(&bench)?;
    neighbours::run(&bench);
    start::run(&bench, &path)
}
