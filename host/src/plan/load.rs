//! From a pipeline file to a plan: reads it, loads the functions it names, looks at its sources,
//! and puts the nodes together.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::bind::{Component, did_you_mean};
use super::checkpoint::{checkpoint, location};
use super::join::{PairColumn, join};
use super::letters::{self, dead_letters};
use super::limits::{function_limits, function_path, max_failed};
use super::prune::prune;
use super::spec::{At, FunctionsSpec, SinkSpec, SourceSpec, Spec, StepSpec, Text};
use super::state::{state, stays_in_memory};
use super::steps::{Stream, apply, step};
use super::streams::{relative, sink, source};
use super::trust;
use super::two_phase::spread;
use super::{Late, Node, OnError, Operator, Plan};
use crate::checkpoint::Location;
use crate::error::{Error, Invalid, Result};
use crate::flow::sink::Output;
use crate::flow::source::Input;
use crate::function::{Kind, Native};
use crate::sandbox::{Artifact, Ceiling, Limits, Runtime};
use crate::signing::Trust;
use crate::state::Settings;
use crate::types::Field;

/// What planning needs beside the file.
pub struct Environment<'a> {
    /// Where components are compiled.
    pub runtime: &'a Arc<Runtime>,
    /// Makes a component of a source folder, and says where it is.
    pub build: &'a dyn Fn(&Path) -> Result<PathBuf>,
    /// Functions of the host itself, by the name that the pipeline calls their component.
    pub native: HashMap<String, Vec<Arc<Native>>>,
    /// What whoever wrote the pipeline may do.
    pub policy: Policy,
}

/// What whoever wrote a pipeline may do. The default is what the owner of the machine may.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// What no limit may be above, whatever the pipeline says.
    pub ceiling: Ceiling,
    /// Keys of which one has to vouch for every component, beside those of the pipeline's `[trust]`.
    pub trust: Trust,
}

impl Plan {
    /// Reads and checks a pipeline file.
    pub fn load(path: &Path, environment: &Environment<'_>) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|e| {
            Invalid::new(format!("the pipeline {} can't be read: {e}", path.display()))
                .hint("name a pipeline file, as in `weir run examples/flights/pipeline.toml`")
        })?;
        Self::parse(path, text, environment)
    }

    /// Checks a pipeline's text. `path` is what errors call it; the paths in it are seen from its
    /// folder.
    pub fn parse(path: &Path, text: String, environment: &Environment<'_>) -> Result<Self> {
        let text = Text { path: path.to_path_buf(), text };
        let spec = text.parse()?;
        Planner::new(&text, &spec, environment)?.plan()
    }
}

/// Where a pipeline file says that its checkpoints are, without looking at anything else of it.
pub fn checkpoint_location(path: &Path) -> Result<Location> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| Error::invalid(format!("the pipeline {} can't be read: {e}", path.display())))?;
    let text = Text { path: path.to_path_buf(), text };
    match text.parse()?.checkpoint {
        Some(at) => Ok(location(&text, at.get_ref())?),
        None => Err(Invalid::new("the pipeline takes no checkpoints")
            .at(text.place(0))
            .hint("write `[checkpoint]` with `dir = \"checkpoints/\"`")
            .into()),
    }
}

struct Planner<'a> {
    text: &'a Text,
    spec: &'a Spec,
    on_error: OnError,
    components: Components<'a>,
    nodes: Vec<Node>,
    /// Where each node starts in the file.
    starts: Vec<usize>,
    /// The last node that is no stream of late rows: what the next step or sink takes.
    last: usize,
}

impl<'a> Planner<'a> {
    fn new(text: &'a Text, spec: &'a Spec, environment: &'a Environment<'a>) -> Result<Self> {
        let default = match spec.dead_letters {
            Some(_) => OnError::DeadLetter,
            None => OnError::Stop,
        };
        let trust = trust::trust(text, spec.trust.as_ref())?;
        let components = Components { text, spec, environment, loaded: HashMap::new(), trust };
        let mut planner =
            Self { text, spec, on_error: default, components, nodes: Vec::new(), starts: Vec::new(), last: 0 };
        planner.on_error = planner.policy(spec.on_error.as_ref())?;
        Ok(planner)
    }

    fn plan(mut self) -> Result<Plan> {
        for (name, spec) in self.sources()? {
            if self.nodes.iter().any(|n| n.name == name) {
                return Err(self.text.wrong(spec, format!("two sources are named `{name}`")).into());
            }
            let source = source(self.text, spec)?;
            let node = Node {
                name,
                input: None,
                fields: source.columns.clone(),
                timed: source.event_time.is_some(),
                windowed: false,
                on_error: self.on_error,
                operator: Operator::Source(source),
            };
            self.nodes.push(node);
            self.starts.push(spec.span().start);
        }
        let sources = self.nodes.len();
        self.last = sources - 1;
        self.steps(sources)?;
        self.sinks()?;
        self.check_used()?;
        self.check_files()?;
        let state = state(self.text, self.spec.state.as_ref())?;
        self.check_state(&state)?;
        let checkpoint = checkpoint(self.text, self.spec.checkpoint.as_ref(), &self.nodes, &self.starts, &state)?;
        prune(&mut self.nodes);
        let name = match &self.spec.name {
            Some(name) => name.clone(),
            None => self.text.path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
        };
        let dead_letters = dead_letters(self.text, self.spec.dead_letters.as_ref(), checkpoint.is_some())?;
        let max_failed = self.spec.max_failed.as_ref().map(|at| max_failed(self.text, at)).transpose()?;
        let mut plan = Plan { name, nodes: self.nodes, dead_letters, state, max_failed, checkpoint };
        plan.seed();
        Ok(plan)
    }

    fn sources(&self) -> Result<Vec<(String, &'a At<SourceSpec>)>, Invalid> {
        let mut sources: Vec<_> = self.spec.sources.iter().map(|(n, s)| (n.get_ref().clone(), s)).collect();
        sources.extend(self.spec.source.as_ref().map(|s| ("source".to_string(), s)));
        sources.sort_by_key(|(_, s)| s.span().start);
        match sources.is_empty() {
            true => Err(Invalid::new("the pipeline has no source")
                .at(self.text.place(0))
                .hint("write `[source]` with `file = \"..\"`")),
            false => Ok(sources),
        }
    }

    fn steps(&mut self, sources: usize) -> Result<()> {
        for spec in &self.spec.steps {
            let inner = spec.get_ref();
            let before = match self.nodes.len() {
                n if n == sources && sources > 1 => None,
                _ => Some(self.last),
            };
            let input = self.input(inner.from.as_ref(), before, spec)?;
            if let Some(right) = &inner.join {
                self.join(spec, input, right)?;
                continue;
            }
            let node = &self.nodes[input];
            let spread = spread(&self.nodes, input);
            let stream = Stream { columns: &node.fields, timed: node.timed, spread };
            let components = &mut self.components;
            let made = step(self.text, spec, &stream, &mut |name| components.find(name))?;
            let windowed = matches!(made.operator, Operator::Window(_)) || node.windowed;
            let (side, timed) = match &made.operator {
                Operator::Window(window) => (
                    (window.firing.late == Late::Side).then(|| (node.fields.clone(), node.windowed)),
                    window.kind.has_bounds(node.timed),
                ),
                _ => (None, node.timed),
            };
            let name = match &inner.name {
                Some(at) => self.new_name(at)?,
                None => self.free_name(&made.name),
            };
            let on_error = self.policy(inner.on_error.as_ref())?;
            self.starts.push(spec.span().start);
            self.last = self.nodes.len();
            let late = format!("{name}.late");
            self.nodes.push(Node {
                name,
                input: Some(input),
                fields: made.columns,
                timed,
                windowed,
                on_error,
                operator: made.operator,
            });
            if let Some((fields, windowed)) = side {
                let (name, input) = (self.free_name(&late), Some(self.last));
                self.starts.push(spec.span().start);
                self.nodes.push(Node {
                    name,
                    input,
                    fields,
                    timed: true,
                    windowed,
                    on_error,
                    operator: Operator::Late,
                });
            }
        }
        Ok(())
    }

    /// A join, and the step behind it where a function maps its pairs: then the name is that step's.
    fn join(&mut self, spec: &At<StepSpec>, left: usize, right: &At<String>) -> Result<()> {
        let inner = spec.get_ref();
        let right = self.input(Some(right), None, spec)?;
        let join = join(self.text, spec, &self.nodes, left, right)?;
        let name = inner.name.as_ref().map(|at| self.new_name(at)).transpose()?;
        let on_error = self.policy(inner.on_error.as_ref())?;
        let node = |name, input, fields, operator| Node {
            name,
            input: Some(input),
            fields,
            timed: true,
            windowed: true,
            on_error,
            operator,
        };
        let fields: Vec<Field> = join.columns.iter().map(PairColumn::field).collect();
        let pairs = self.nodes.len();
        let mapped = match &inner.map {
            None => None,
            Some(map) => {
                let (stream, components) =
                    (Stream { columns: &fields, timed: true, spread: None }, &mut self.components);
                Some(apply(self.text, inner, Kind::Mapper, map, &stream, &mut |name| components.find(name))?)
            }
        };
        let join_name = match (&name, &mapped) {
            (Some(name), None) => name.clone(),
            (Some(name), Some(_)) => self.free_name(&format!("{name}-pairs")),
            (None, _) => self.free_name("join"),
        };
        self.nodes.push(node(join_name, left, fields, Operator::Join(join)));
        self.starts.push(spec.span().start);
        if let Some(made) = mapped {
            let name = name.unwrap_or_else(|| self.free_name(&made.name));
            self.nodes.push(node(name, pairs, made.columns, made.operator));
            self.starts.push(spec.span().start);
        }
        self.last = self.nodes.len() - 1;
        Ok(())
    }

    fn sinks(&mut self) -> Result<()> {
        let mut sinks: Vec<(String, &At<SinkSpec>)> =
            self.spec.sinks.iter().map(|(n, s)| (n.get_ref().clone(), s)).collect();
        sinks.extend(self.spec.sink.as_ref().map(|s| ("sink".to_string(), s)));
        sinks.sort_by_key(|(_, s)| s.span().start);
        if sinks.is_empty() {
            return Err(Invalid::new("the pipeline has no sink")
                .at(self.text.place(self.text.text.len()))
                .hint("write `[sink]` with `stdout = true` or `file = \"..\"`")
                .into());
        }
        let before = Some(self.last);
        for (name, spec) in sinks {
            let input = self.input(spec.get_ref().from.as_ref(), before, spec)?;
            let sink = sink(self.text, spec)?;
            self.starts.push(spec.span().start);
            let Node { fields, timed, windowed, .. } = &self.nodes[input];
            let node = Node {
                name: self.free_name(&name),
                input: Some(input),
                fields: fields.clone(),
                timed: *timed,
                windowed: *windowed,
                on_error: self.on_error,
                operator: Operator::Sink(sink),
            };
            self.nodes.push(node);
        }
        Ok(())
    }

    /// The node that `from` names, or the one before.
    fn input<T>(&self, from: Option<&At<String>>, before: Option<usize>, owner: &At<T>) -> Result<usize, Invalid> {
        let streams: Vec<&str> =
            self.nodes.iter().filter(|n| !matches!(n.operator, Operator::Sink(_))).map(|n| n.name.as_str()).collect();
        match from {
            None => before.ok_or_else(|| {
                self.text
                    .wrong(owner, "there is more than one source, so the first step has to say which it takes")
                    .hint(format!("write `from = \"{}\"`", streams[0]))
            }),
            Some(at) => streams.iter().position(|n| n == at.get_ref()).ok_or_else(|| {
                self.text
                    .wrong(at, format!("there is no source or step `{}` before this", at.get_ref()))
                    .hint(did_you_mean(at.get_ref(), &streams))
            }),
        }
    }

    fn new_name(&self, at: &At<String>) -> Result<String, Invalid> {
        match self.nodes.iter().any(|n| n.name == *at.get_ref()) {
            true => Err(self.text.wrong(at, format!("two sources or steps are named `{}`", at.get_ref()))),
            false => Ok(at.get_ref().clone()),
        }
    }

    /// The name, with a number behind it where it is taken.
    fn free_name(&self, name: &str) -> String {
        let taken = |name: &str| self.nodes.iter().any(|n| n.name == name);
        match taken(name) {
            false => name.to_string(),
            true => (2..).map(|i| format!("{name}-{i}")).find(|n| !taken(n)).unwrap_or_default(),
        }
    }

    fn policy(&self, given: Option<&At<String>>) -> Result<OnError, Invalid> {
        let Some(at) = given else { return Ok(self.on_error) };
        match at.get_ref().as_str() {
            "dead-letter" if self.spec.dead_letters.is_none() => Err(self
                .text
                .wrong(at, "there is no place for dead letters")
                .hint("write `[dead-letters]` with `file = \"dead-letters.jsonl\"`")),
            "dead-letter" => Ok(OnError::DeadLetter),
            "skip" => Ok(OnError::Skip),
            "stop" => Ok(OnError::Stop),
            other => Err(self
                .text
                .wrong(at, format!("`{other}` is no policy"))
                .hint("there are: `dead-letter`, `skip`, `stop`")),
        }
    }

    /// A file that is written is nothing else's: it is emptied before the first row is read.
    fn check_files(&self) -> Result<(), Invalid> {
        let mut files: Vec<(PathBuf, String)> = Vec::new();
        for node in &self.nodes {
            if let Operator::Source(source) = &node.operator
                && matches!(source.settings.input, Input::File(_))
            {
                let of = format!("source `{}` reads it", node.name);
                let partitions = source.discovered.partitions.iter();
                files.extend(partitions.map(|path| (real(Path::new(path)), of.clone())));
            }
        }
        let is_stdin =
            |n: &&Node| matches!(&n.operator, Operator::Source(s) if matches!(s.settings.input, Input::Stdin));
        if self.nodes.iter().filter(is_stdin).count() > 1 {
            return Err(Invalid::new("two sources read standard input, which can be read once").at(self.text.place(0)));
        }
        let mut written = Vec::new();
        for (node, start) in self.nodes.iter().zip(&self.starts) {
            if let Operator::Sink(sink) = &node.operator
                && let Output::File(path) | Output::Folder(path) = &sink.output
            {
                written.push((path.clone(), format!("sink `{}` writes it", node.name), *start));
            }
        }
        if let Some(letters) = &self.spec.dead_letters {
            let of = "the dead letters are written to it".to_string();
            written.push((letters::place(self.text, letters)?, of, letters.span().start));
        }
        for (path, of, start) in written {
            let path = real(&path);
            if let Some((_, other)) = files.iter().find(|(file, _)| *file == path) {
                let message = format!("the file {} is used twice: {other}, and {of}", path.display());
                return Err(Invalid::new(message).at(self.text.place(start)).hint("write to a file of its own"));
            }
            files.push((path, of));
        }
        Ok(())
    }

    /// State that is always in memory is not what a `[state]` was written for.
    fn check_state(&self, state: &Settings) -> Result<(), Invalid> {
        if *state == Settings::Memory {
            return Ok(());
        }
        for (node, start) in self.nodes.iter().zip(&self.starts) {
            if let Some(what) = stays_in_memory(node) {
                let message =
                    format!("step `{}`: {what} keep their state in memory, and `[state]` says otherwise", node.name);
                return Err(Invalid::new(message)
                    .at(self.text.place(*start))
                    .hint("take `[state]` out, or use aggregates"));
            }
        }
        Ok(())
    }

    /// A stream that no sink takes is a mistake, and would be work for nothing.
    fn check_used(&self) -> Result<(), Invalid> {
        let used = |index: usize| self.nodes.iter().any(|n| n.inputs().any(|input| input == index));
        let unused = (0..self.nodes.len()).find(|i| !matches!(self.nodes[*i].operator, Operator::Sink(_)) && !used(*i));
        match unused {
            None => Ok(()),
            Some(index) => Err(Invalid::new(format!("nothing takes the rows of `{}`", self.nodes[index].name))
                .at(self.text.place(self.starts[index]))
                .hint("give a step or sink `from` with its name, or take it out")),
        }
    }
}

/// A path by which a file is known, whether it is there already or not.
fn real(path: &Path) -> PathBuf {
    let whole = path.canonicalize();
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let by_folder = || Some(folder.canonicalize().ok()?.join(path.file_name()?));
    whole.ok().or_else(by_folder).unwrap_or_else(|| path.to_path_buf())
}

/// The entries of `[functions]`, each loaded when a step first names it.
struct Components<'a> {
    text: &'a Text,
    spec: &'a Spec,
    environment: &'a Environment<'a>,
    loaded: HashMap<String, Component>,
    trust: Trust,
}

impl Components<'_> {
    fn find(&mut self, name: &str) -> Result<Component> {
        if let Some(component) = self.loaded.get(name) {
            return Ok(component.clone());
        }
        let component = match (self.spec.functions.get(name), self.environment.native.get(name)) {
            (Some(at), _) => self.load(name, at)?,
            (None, Some(functions)) => Component::Native(functions.clone()),
            (None, None) => {
                let all: Vec<_> = self.spec.functions.keys().map(String::as_str).collect();
                return Err(Invalid::new(format!("`[functions]` has no `{name}`"))
                    .hint(did_you_mean(name, &all))
                    .into());
            }
        };
        self.loaded.insert(name.to_string(), component.clone());
        Ok(component)
    }

    fn load(&self, name: &str, at: &At<FunctionsSpec>) -> Result<Component> {
        let path = relative(self.text, function_path(at));
        let placed = |message: String| Error::from(self.text.wrong(at, message));
        let wasm = match path.is_dir() {
            true => (self.environment.build)(&path)?,
            false => path.clone(),
        };
        let bytes = std::fs::read(&wasm)
            .map_err(|e| placed(format!("the component of `{name}` can't be read: {}: {e}", path.display())))?;
        let default = Limits::of_component(&bytes);
        let limits = function_limits(self.text, &self.spec.limits, at, &self.environment.policy.ceiling, default)?;
        let file = wasm.display().to_string();
        // A signature is looked for in what is known to be a component.
        let artifact = Artifact::check_shape(&file, &bytes, &limits)
            .and_then(|()| Ok(trust::check([&self.environment.policy.trust, &self.trust], &wasm, &bytes)?))
            .and_then(|()| Artifact::load(self.environment.runtime, &file, &bytes, &limits));
        let artifact = artifact.map_err(|error| match error {
            Error::Invalid(invalid) => invalid.at(self.text.place(at.span().start)).into(),
            other => other,
        })?;
        Ok(Component::Sandboxed { artifact, limits: Box::new(limits) })
    }
}
