//! Functions that break the contract: they return columns, selections and parents that do not hold
//! together, as no SDK would. What exactly is wrong is a parameter.
//!
//! A batch without rows is answered as it should be, so that a pipeline starts.

use weir::export::{AggregateCalls, Batch, Calls, Column, Entry, Expanded, Field, Folded, Grouped, Kept, Kind, Mapped};
use weir::export::{ParameterSignature, Signature, StatefulCalls, Stepped, parameter};
use weir::testing::{DataType, RowError};

/// A function that lies.
macro_rules! liar {
    ($(#[$doc:meta])* $name:ident: $kind:ident, $output:ident, $calls:expr) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name;

        impl weir::Function for $name {
            const ENTRY: Entry = Entry {
                signature: || signature(stringify!($name), Kind::$kind, DataType::$output),
                calls: $calls,
            };
        }
    };
}

liar! {
    /// A column of numbers.
    Number: Mapper, Int64, Calls::Map(|input| map(&input, number))
}
liar! {
    /// A column of texts.
    Words: Mapper, Text, Calls::Map(|input| map(&input, words))
}
liar! {
    /// A selection.
    Select: Filter, Int64, Calls::Filter(select)
}
liar! {
    /// Rows out of rows.
    Expand: FlatMapper, Int64, Calls::FlatMap(expand)
}
liar! {
    /// Accumulators.
    Fold: Aggregate, Int64, Calls::Aggregate(AggregateCalls {
        create: |count| Ok(numbers(count as usize)),
        accumulate: fold,
        retract: None,
        merge: |accumulators, _, _| Ok(accumulators),
        finish: |accumulators| Ok(match how().as_str() {
            "finish" => numbers(accumulators.rows as usize + 1),
            _ => accumulators,
        }),
    })
}

liar! {
    /// States, and rows out of rows.
    Step: StatefulMapper, Int64, Calls::StatefulMap(StatefulCalls {
        create: |count| Ok(numbers(count as usize)),
        step,
    })
}
liar! {
    /// Rows out of groups.
    Group: GroupMapper, Int64, Calls::GroupMap(group)
}

weir::export!(Number, Words, Select, Expand, Fold, Step, Group);

fn signature(name: &str, kind: Kind, output: DataType) -> Signature {
    let field = |name: &str, data_type, nullable| Field { name: name.to_owned(), data_type, nullable };
    let how: ParameterSignature = parameter::<String>("how", None, "What is wrong.");
    Signature {
        name: name.to_lowercase(),
        kind,
        doc: "Lies.".to_owned(),
        parameters: vec![how],
        inputs: vec![field("n", DataType::Int64, true)],
        outputs: if kind == Kind::Filter { vec![] } else { vec![field("lie", output, false)] },
        accumulator: match kind {
            Kind::Aggregate | Kind::StatefulMapper => vec![field("value", DataType::Int64, false)],
            _ => vec![],
        },
        retractable: false,
    }
}

fn how() -> String {
    weir::host::parameter("how").unwrap_or_default()
}

/// Columns of these rows' numbers, all 0.
fn numbers(rows: usize) -> Batch {
    Batch { rows: rows as u32, columns: vec![column(vec![0; rows * 8])] }
}

fn column(values: Vec<u8>) -> Column {
    Column { validity: vec![], offsets: vec![], values }
}

fn offsets(offsets: &[u32]) -> Vec<u8> {
    offsets.iter().flat_map(|o| o.to_le_bytes()).collect()
}

fn map(input: &Batch, lie: fn(usize, &str) -> Mapped) -> Result<Mapped, String> {
    let how = if input.rows == 0 { String::new() } else { how() };
    Ok(lie(input.rows as usize, &how))
}

fn number(rows: usize, how: &str) -> Mapped {
    let mut mapped = Mapped { output: numbers(rows), errors: vec![] };
    let Mapped { output: Batch { rows: count, columns }, errors } = &mut mapped;
    match how {
        "rows" => *count += 1,
        "columns" => columns.push(column(vec![])),
        "values" => columns[0].values.truncate(rows * 8 - 1),
        "validity" => columns[0].validity = vec![0xff; rows.div_ceil(8) + 1],
        "null" => columns[0].validity = vec![0; rows.div_ceil(8)],
        "offsets" => columns[0].offsets = vec![0; 4],
        "error" => errors.push(RowError { row: rows as u32, message: "of no row".to_owned() }),
        _ => {}
    }
    mapped
}

fn words(rows: usize, how: &str) -> Mapped {
    // One byte each.
    let mut places: Vec<u32> = (0..=rows as u32).collect();
    let mut values = vec![b'x'; rows];
    match how {
        "start" => places.iter_mut().for_each(|p| *p += 1),
        "backwards" => places[rows] = places[rows - 1].wrapping_sub(1),
        "end" => values.push(b'x'),
        "utf8" => values.fill(0xff),
        "short" => drop(places.pop()),
        _ => {}
    }
    let column = Column { validity: vec![], offsets: offsets(&places), values };
    Mapped { output: Batch { rows: rows as u32, columns: vec![column] }, errors: vec![] }
}

fn select(input: Batch) -> Result<Kept, String> {
    let rows = input.rows as usize;
    let mut kept = Kept { selection: vec![0xff; rows.div_ceil(8)], errors: vec![] };
    if rows > 0 && how() == "selection" {
        kept.selection.push(0xff);
    }
    Ok(kept)
}

fn expand(input: Batch) -> Result<Expanded, String> {
    let rows = input.rows;
    let mut parents: Vec<u32> = (0..rows).collect();
    let mut output = numbers(rows as usize);
    match (rows, how().as_str()) {
        (0, _) => {}
        (_, "count") => drop(parents.pop()),
        (_, "range") => parents[rows as usize - 1] = rows,
        (_, "decrease") => {
            output = numbers(rows as usize + 1);
            parents.push(parents[rows as usize - 1].wrapping_sub(1));
        }
        _ => {}
    }
    Ok(Expanded { output, parents: offsets(&parents), errors: vec![] })
}

fn fold(accumulators: Batch, groups: Vec<u8>, input: Batch) -> Result<Folded, String> {
    let _ = groups;
    let accumulators = match (input.rows, how().as_str()) {
        (0, _) => accumulators,
        (_, "lost") => numbers(accumulators.rows as usize - 1),
        _ => accumulators,
    };
    Ok(Folded { accumulators, errors: vec![] })
}

fn step(states: Batch, groups: Vec<u8>, input: Batch) -> Result<Stepped, String> {
    let _ = groups;
    let (rows, how) = (input.rows, how());
    let Expanded { output, parents, errors } = expand(input)?;
    let states = match how.as_str() {
        "lost" if rows > 0 => numbers(states.rows as usize - 1),
        "grown" if rows > 0 => numbers(states.rows as usize + 1),
        _ => states,
    };
    Ok(Stepped { states, output, parents, errors })
}

/// A row out for each group.
fn group(count: u32, groups: Vec<u8>, input: Batch) -> Result<Grouped, String> {
    let _ = (groups, input);
    let Expanded { output, parents, mut errors } = expand(Batch { rows: count, columns: vec![] })?;
    if count > 0 && how() == "error" {
        errors.push(RowError { row: count, message: "of no group".to_owned() });
    }
    Ok(Grouped { output, parents, errors })
}
