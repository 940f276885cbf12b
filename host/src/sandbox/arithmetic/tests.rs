use super::*;

fn limits() -> Limits {
    Limits::default()
}

/// Runs a program over columns without nulls.
fn run(program: &str, rows: usize, columns: &[Vec<u8>]) -> Answer {
    let given: Vec<Given<'_>> = columns.iter().map(|values| Given { validity: &[], values }).collect();
    let task = Task::new(program, rows, &given, &limits()).unwrap_or_else(|e| panic!("{e}"));
    task.run(|| Ok::<_, ()>(())).expect("nobody stops it")
}

fn ints(values: &[i64]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

fn floats(values: &[f64]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

fn refused(program: &str) -> String {
    let column = ints(&[1, 2]);
    let given = [Given { validity: &[], values: &column }];
    match Task::new(program, 2, &given, &limits()) {
        Ok(_) => panic!("{program} is taken"),
        Err(message) => message,
    }
}

#[test]
fn a_program_over_more_than_a_block_gives_each_row() {
    let rows = ROWS * 2 + 5;
    let a: Vec<i64> = (0..rows as i64).collect();
    let answer = run("column int64\nint64 3\nmultiply 0 1\nout int64 2", rows, &[ints(&a)]);
    let expected: Vec<i64> = a.iter().map(|a| a * 3).collect();
    assert_eq!(answer.columns[0], Made { validity: vec![], values: ints(&expected) });
    assert!(answer.given_back.is_empty());
}

#[test]
fn rows_without_an_answer_are_given_back_and_no_others() {
    let a = [i64::MAX, 7, i64::MIN, -7, 1];
    let b = [1, 0, -1, 2, i64::MIN];
    let of = |operation: &str| {
        run(&format!("column int64\ncolumn int64\n{operation} 0 1\nout int64 2"), 5, &[ints(&a), ints(&b)]).given_back
    };
    assert_eq!(of("add"), [0b0_0101]);
    assert_eq!(of("quotient"), [0b0_0110]);
    assert_eq!(of("floor-divide"), [0b0_0110]);
    assert_eq!(of("modulo"), [0b0_0010]);
    assert_eq!(of("remainder"), [0b0_0010]);
    assert_eq!(of("minimum"), [0u8; 0]);
}

#[test]
fn division_is_what_each_language_says_it_is() {
    let (a, b) = ([7, -7, 7, -7], [2, 2, -2, -2]);
    let of = |operation: &str| {
        let program = format!("column int64\ncolumn int64\n{operation} 0 1\nout int64 2");
        run(&program, 4, &[ints(&a), ints(&b)]).columns.remove(0).values
    };
    assert_eq!(of("quotient"), ints(&[3, -3, -3, 3]));
    assert_eq!(of("remainder"), ints(&[1, -1, 1, -1]));
    assert_eq!(of("floor-divide"), ints(&[3, -4, -4, 3]));
    assert_eq!(of("modulo"), ints(&[1, 1, -1, -1]));
}

#[test]
fn nulls_go_through_and_fail_nothing() {
    let (a, b) = (ints(&[1, 2, 3]), ints(&[0, 0, 1]));
    let given = [Given { validity: &[0b100], values: &a }, Given { validity: &[], values: &b }];
    let program = "column int64\ncolumn int64\nquotient 0 1\nout int64 2\nis-null 0\nout boolean 3";
    let task = Task::new(program, 3, &given, &limits()).expect("a program");
    let answer = task.run(|| Ok::<_, ()>(())).expect("nobody stops it");
    assert_eq!(answer.columns[0].validity, [0b100]);
    assert_eq!(answer.columns[1], Made { validity: vec![], values: vec![0b011] });
    assert!(answer.given_back.is_empty());
}

#[test]
fn one_side_of_and_and_or_may_be_enough() {
    // false, true and null with each other.
    let a = Given { validity: &[0b0011_1111, 0], values: &[0b1111_1000, 1] };
    let b = Given { validity: &[0b1101_1011, 0], values: &[0b1001_0010, 0] };
    let given = [a, b];
    let program = "column boolean\ncolumn boolean\nand 0 1\nor 0 1\nout boolean 2\nout boolean 3";
    let task = Task::new(program, 9, &given, &limits()).expect("a program");
    let answer = task.run(|| Ok::<_, ()>(())).expect("nobody stops it");
    let known = |made: &Made| {
        let bit = |bits: &[u8], row: usize| bits[row / 8] >> (row % 8) & 1 == 1;
        (0..9).map(|row| bit(&made.validity, row).then(|| bit(&made.values, row))).collect::<Vec<_>>()
    };
    let (no, yes) = (Some(false), Some(true));
    assert_eq!(known(&answer.columns[0]), [no, no, no, no, yes, None, no, None, None]);
    assert_eq!(known(&answer.columns[1]), [no, yes, None, yes, yes, yes, None, yes, None]);
}

#[test]
fn a_nan_has_one_form_and_narrower_types_are_stored_as_they_are() {
    let odd = f64::from_bits(0xfff8_0000_0000_1234);
    let program = "column float64\nnegate 0\nout float64 0\nout float64 1\nout float32 0\nexact-int 0\nout int32 2";
    let answer = run(program, 3, &[floats(&[odd, 3e9, 7.0])]);
    assert_eq!(answer.columns[0].values[..8], f64::NAN.to_le_bytes());
    assert_eq!(answer.columns[1].values[..8], f64::NAN.to_le_bytes());
    assert_eq!(answer.columns[2].values[4..8], 3e9_f32.to_le_bytes());
    assert_eq!(answer.columns[3].values[8..], 7_i32.to_le_bytes());
    assert_eq!(answer.given_back, [0b011]);
}

#[test]
fn what_does_not_hold_is_named() {
    for (program, problem) in [
        ("column int64\nlaunch 0", "line 2 of the program: there is no `launch`"),
        ("column int64\nadd 0 1", "line 2 of the program: `1` is none of the 1 values before it"),
        ("column int64\nadd 0", "line 2 of the program: `add` takes 2, not 1 values"),
        ("column int64\nfloat64 x", "line 2 of the program: `x` is no float64"),
        ("column int64\nsqrt 0", "line 2 of the program: `sqrt` does not take int64"),
        ("column int64\nout float64 0", "line 2 of the program: `out float64` does not take int64"),
        ("column text", "line 1 of the program: `text` is no type to compute with"),
        ("column int64\n\nout int64 0", "line 2 of the program: there is no ``"),
        ("column int64\ncolumn int64", "1 columns, but the program takes 2"),
        ("column int32", "column 0: 16 bytes of values, expected 8 for 2 rows of int32"),
        (&"int64 1\n".repeat(1_001), "a program of more than 1000 instructions"),
    ] {
        assert_eq!(refused(program), problem);
    }
}

#[test]
fn what_is_not_chosen_is_not_given_back() {
    let (a, b) = (ints(&[6, 7, i64::MIN, 5]), ints(&[2, 0, -1, 0]));
    let program = |out: &str| {
        let text = "column int64\ncolumn int64\nquotient 0 1\nint64 0\nequal 1 3\nwhere 4 3 2\nadd 5 3\nexcept 6 4";
        run(&format!("{text}\nout int64 {out}"), 4, &[a.clone(), b.clone()]).given_back
    };
    assert_eq!(program("2"), [0b1110]);
    assert_eq!(program("6"), [0b0100]);
    assert_eq!(program("7"), [0b1110]);
    assert_eq!(program("0\nfail 4"), [0b1010]);
}

#[test]
fn it_can_be_stopped_in_the_middle() {
    let mut asked = 0;
    let column = ints(&vec![1; 5_000]);
    let given = [Given { validity: &[], values: &column }];
    let task = Task::new("column int64\nadd 0 0\nout int64 1", 5_000, &given, &limits()).expect("a program");
    let stopped = task.run(|| {
        asked += 1;
        if asked == 5 { Err("late") } else { Ok(()) }
    });
    assert_eq!((stopped, asked), (Err("late"), 5));
    assert_eq!(task.work(), 15_000);
}
