//! What a source has, and how its partitions are opened.
//!
//! In come [`Settings`]; out go columns and partitions' names, once, when the pipeline is planned,
//! and then one [`Partition`] for each name, on the worker that reads it. Columns that are not
//! declared are inferred from the first 1,000 records (or the first MiB) of the first file that has
//! any, or of standard input, which is waited for: with declared columns nothing is. It never
//! reads rows.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::ahead::{Ahead, Wait};
use super::input::{self, Filled, Input as Bytes};
use super::records::{Records, place};
use super::unpack::Unpacked;
use super::{CsvFormat, Format, Input, Partition, Settings, nexmark};
use crate::error::{Error, Invalid, Result};
use crate::flow::decode::{Tail, header, infer};
use crate::types::Field;

/// What a source has.
#[derive(Debug)]
pub struct Discovered {
    /// All its columns.
    pub columns: Vec<Field>,
    /// Its partitions' names, for reports and dead letters: paths, `stdin`, `nexmark-0`.
    pub partitions: Vec<String>,
    found: Found,
}

impl Discovered {
    /// What tells its partitions from others wherever the command is run: of a file its whole path.
    pub fn names(&self) -> Vec<String> {
        match &self.found {
            Found::Files(files) => {
                let whole = |file: &PathBuf| file.canonicalize().unwrap_or_else(|_| file.clone());
                files.iter().map(|file| whole(file).display().to_string()).collect()
            }
            Found::Stdin(_) | Found::Nexmark => self.partitions.clone(),
        }
    }

    /// A partition that can be read only once, if there is one.
    pub fn read_once(&self) -> Option<&str> {
        let once = match &self.found {
            Found::Files(files) => files.iter().position(|file| input::is_pipe(file)),
            Found::Stdin(_) => Some(0),
            Found::Nexmark => None,
        };
        once.map(|partition| self.partitions[partition].as_str())
    }
}

/// What is opened.
#[derive(Debug)]
enum Found {
    Files(Vec<PathBuf>),
    /// Until it is opened.
    Stdin(Mutex<Option<Ahead>>),
    Nexmark,
}

/// Finds out what a source has.
///
/// # Errors
/// [`Error::Invalid`] if the settings make no sense: a folder for a file, a declared column that
/// is not there. [`Error::Source`] if there is nothing to read.
pub fn discover(settings: &Settings) -> Result<Discovered> {
    if let Format::Csv(csv) = &settings.format {
        check(csv)?;
    }
    match &settings.input {
        Input::File(path) => {
            let files = input::files(path)?;
            let columns = match &settings.schema {
                Some(declared) => {
                    check_header(&files[0], &settings.format, declared)?;
                    declared.clone()
                }
                None => match files.iter().find(|file| input::is_pipe(file)) {
                    Some(pipe) => return Err(read_once(pipe)),
                    None => infer_from(&files, &settings.format)?,
                },
            };
            let partitions = files.iter().map(|file| file.display().to_string()).collect();
            Ok(Discovered { columns, partitions, found: Found::Files(files) })
        }
        Input::Stdin => of_stdin(settings, Ahead::start(std::io::stdin())?),
        Input::Nexmark(nexmark) => {
            if settings.schema.is_some() {
                return Err(Invalid::new("the nexmark source has its own columns").hint("leave `schema` out").into());
            }
            let partitions = (0..nexmark.partitions.max(1)).map(|p| format!("nexmark-{p}")).collect();
            Ok(Discovered { columns: nexmark::columns(nexmark.stream), partitions, found: Found::Nexmark })
        }
    }
}

/// Opens a partition, to read these columns of it (names of [`Discovered::columns`]; none counts
/// rows). The rows' columns are these, in this order.
///
/// # Errors
/// [`Error::Source`] if it can't be read. What is wrong with a header shows at the first rows.
pub fn open(
    settings: &Settings,
    discovered: &Discovered,
    partition: usize,
    columns: &[Field],
) -> Result<Box<dyn Partition>> {
    let name = discovered.partitions.get(partition).cloned();
    let name = name.ok_or_else(|| Error::Bug(format!("partition {partition} of {}", discovered.partitions.len())))?;
    let bytes = match (&settings.input, &discovered.found) {
        (Input::Nexmark(nexmark), _) => return Ok(Box::new(nexmark::Generator::new(nexmark, partition, columns)?)),
        (_, Found::Files(files)) => match files[partition].as_path() {
            pipe if input::is_pipe(pipe) => Bytes::Ahead(Ahead::start_pipe(pipe.to_owned())?),
            file => Bytes::File(input::open(file)?),
        },
        (_, Found::Stdin(stdin)) => {
            let stdin = stdin.lock().ok().and_then(|mut stdin| stdin.take());
            Bytes::Ahead(stdin.ok_or_else(|| Error::Bug("standard input is opened twice".to_owned()))?)
        }
        (_, Found::Nexmark) => return Err(Error::Bug("settings of another source".to_owned())),
    };
    let all = discovered.columns.clone();
    Ok(Box::new(Records::new(name, bytes, settings.format.clone(), all, columns.to_vec())))
}

fn check(csv: &CsvFormat) -> Result<()> {
    let usable = |b: u8| b.is_ascii() && !matches!(b, 0 | b'\n' | b'\r');
    for (what, byte) in [("delimiter", csv.delimiter), ("quote", csv.quote)] {
        if !usable(byte) {
            let message = format!("the CSV {what} can't be {:?}", char::from(byte));
            return Err(Invalid::new(message).hint("any one ASCII character but a line's end").into());
        }
    }
    if csv.delimiter == csv.quote {
        return Err(Error::invalid("the CSV delimiter and quote are the same"));
    }
    Ok(())
}

/// Checks that a file has the declared columns.
fn check_header(file: &Path, format: &Format, declared: &[Field]) -> Result<()> {
    let Format::Csv(csv) = format else { return Ok(()) };
    if !csv.header || input::is_pipe(file) {
        return Ok(());
    }
    let (sample, tail) = sample(&mut input::open(file)?)?;
    let Some((names, _)) = header(without_mark(&sample), tail, csv) else { return Ok(()) };
    let names = infer::names(names);
    for field in declared {
        if let Err(e) = place(&file.display().to_string(), &names, &field.name) {
            return Err(Invalid::new(e.to_string()).hint("declare columns that the file's header names").into());
        }
    }
    Ok(())
}

fn infer_from(files: &[PathBuf], format: &Format) -> Result<Vec<Field>> {
    for file in files {
        let (sample, tail) = sample(&mut input::open(file)?)?;
        let columns = infer::columns(without_mark(&sample), tail, format).columns;
        if !columns.is_empty() {
            return unique(columns, &file.display().to_string());
        }
    }
    let name = match files {
        [file] => format!("`{}`", file.display()),
        _ => format!("none of the {} files", files.len()),
    };
    Err(nothing_to_infer_from(&name))
}

fn read_once(pipe: &Path) -> Error {
    let message = format!("`{}` is a pipe: what is read to find its columns would be gone", pipe.display());
    Invalid::new(message).hint("declare the columns with `schema`").into()
}

fn nothing_to_infer_from(name: &str) -> Error {
    let message = match name.starts_with("none") {
        true => format!("{name} has a record, so there are no columns to be found"),
        false => format!("{name} has no record, so there are no columns to be found"),
    };
    Invalid::new(message).hint("declare the columns with `schema`").into()
}

fn unique(columns: Vec<Field>, name: &str) -> Result<Vec<Field>> {
    for (i, field) in columns.iter().enumerate() {
        if columns[..i].iter().any(|other| other.name == field.name) {
            return Err(Error::Source { message: format!("`{name}` has two columns `{}`", field.name), cause: None });
        }
    }
    Ok(columns)
}

/// The first bytes of a file. An error behind the first of them is for the reading to report.
fn sample(file: &mut Unpacked) -> Result<(Vec<u8>, Tail)> {
    let mut sample = Vec::new();
    while sample.len() < infer::BYTES_MAX {
        let rest = infer::BYTES_MAX - sample.len();
        match file.fill(&mut sample, rest) {
            Ok(Filled::End) => return Ok((sample, Tail::End)),
            Ok(_) => {}
            Err(e) if sample.is_empty() => return Err(Error::source_io("can't read the first records", e)),
            Err(_) => break,
        }
    }
    Ok((sample, Tail::Open))
}

pub(super) fn of_stdin(settings: &Settings, mut stdin: Ahead) -> Result<Discovered> {
    let columns = match &settings.schema {
        Some(declared) => declared.clone(),
        None => infer_from_stdin(&mut stdin, &settings.format)?,
    };
    Ok(Discovered { columns, partitions: vec!["stdin".to_owned()], found: Found::Stdin(Mutex::new(Some(stdin))) })
}

fn infer_from_stdin(stdin: &mut Ahead, format: &Format) -> Result<Vec<Field>> {
    let (mut bytes, mut tail, mut again) = (Vec::new(), Tail::Open, 0);
    loop {
        let filled = stdin.fill(&mut bytes, Wait::Yes);
        if !matches!(filled, Ok(Filled::Some)) {
            tail = Tail::End;
        }
        // Looking again and again at what grows by little would take its time.
        if tail == Tail::Open && bytes.len() < again {
            continue;
        }
        again = bytes.len() * 2;
        // Cut where every run cuts, however the bytes came in.
        let enough = bytes.len() >= infer::BYTES_MAX;
        let (seen, seen_tail) = if enough { (&bytes[..infer::BYTES_MAX], Tail::Open) } else { (&bytes[..], tail) };
        let inferred = infer::columns(without_mark(seen), seen_tail, format);
        if !enough && tail == Tail::Open && inferred.records < infer::RECORDS_MAX {
            continue;
        }
        if let Err(e) = filled
            && inferred.columns.is_empty()
        {
            return Err(Error::source_io("can't read standard input", e));
        }
        if inferred.columns.is_empty() {
            return Err(nothing_to_infer_from("standard input"));
        }
        stdin.put_back(bytes);
        return unique(inferred.columns, "stdin");
    }
}

fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}
