//! Records from a pipe, which come when they come.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, Sender, channel};

use super::super::super::ahead::Ahead;
use super::super::super::discover::of_stdin;
use super::*;

/// A reader whose bytes come when the test sends them.
struct Sent(Receiver<Vec<u8>>, Vec<u8>);

impl Read for Sent {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.1.is_empty() {
            match self.0.recv() {
                Ok(bytes) => self.1 = bytes,
                Err(_) => return Ok(0),
            }
        }
        let count = buffer.len().min(self.1.len());
        buffer[..count].copy_from_slice(&self.1[..count]);
        self.1.drain(..count);
        Ok(count)
    }
}

fn pipe() -> (Sender<Vec<u8>>, Ahead) {
    let (sender, receiver) = channel();
    (sender, Ahead::start(Sent(receiver, Vec::new())).expect("a thread"))
}

/// The next rows, however long they take.
fn awaited(partition: &mut dyn Partition) -> Option<Decoded> {
    loop {
        match partition.next(100).expect("read") {
            Next::Rows(decoded) => return Some(decoded),
            Next::Pending => std::thread::yield_now(),
            Next::End => return None,
        }
    }
}

#[test]
fn a_pipe_is_pending_until_a_record_is_whole() {
    let (sender, stdin) = pipe();
    let fields = vec![Field::new("a", DataType::Int64, true)];
    let mut partition = Records::new("stdin".to_owned(), Input::Ahead(stdin), csv(), fields.clone(), fields);
    assert!(matches!(partition.next(10), Ok(Next::Pending)));
    sender.send(b"a\n1\n2".to_vec()).expect("sent");
    assert_eq!(awaited(&mut partition).expect("rows").positions, [0]);
    assert!(matches!(partition.next(10), Ok(Next::Pending)));
    sender.send(b"3\n4\n".to_vec()).expect("sent");
    let decoded = awaited(&mut partition).expect("rows");
    assert_eq!(decoded.rows.column(0).as_primitive::<Int64Type>().values(), &[23, 4]);
    drop(sender);
    assert!(awaited(&mut partition).is_none());
}

#[test]
fn what_was_read_to_infer_columns_from_a_pipe_is_given_out() {
    let (sender, stdin) = pipe();
    let expected: Vec<i64> = (0..3000).collect();
    let feed = std::thread::spawn({
        let expected = expected.clone();
        move || {
            sender.send(b"\xef\xbb\xbfa,b\n".to_vec()).expect("sent");
            for i in expected {
                sender.send(format!("{i},\"x\ny\"\n").into_bytes()).expect("sent");
            }
        }
    });
    let settings = Settings { input: SourceInput::Stdin, format: csv(), schema: None };
    let discovered = of_stdin(&settings, stdin).expect("discovered");
    assert_eq!(discovered.columns, [Field::new("a", DataType::Int64, true), Field::new("b", DataType::Text, true)]);
    let mut partition = open(&settings, &discovered, 0, &discovered.columns[..1]).expect("opened");
    let mut found = Vec::new();
    while let Some(decoded) = awaited(&mut *partition) {
        found.extend_from_slice(decoded.rows.column(0).as_primitive::<Int64Type>().values());
    }
    feed.join().expect("fed");
    assert_eq!(found, expected);
    assert!(open(&settings, &discovered, 0, &[]).is_err());
}
