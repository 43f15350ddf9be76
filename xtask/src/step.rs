//! Running steps: each says what it runs, how long it took, and the first that fails ends the run.
//!
//! The last line is always `N passed, N failed`. No step reads standard input.

use crate::workspace;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

/// What a check inside this program says: one line if it holds, else what does not.
pub(crate) type Verdict = Result<String, String>;

/// One thing that has to hold.
pub(crate) struct Step {
    name: String,
    work: Work,
}

enum Work {
    Run(Run),
    Check(Box<dyn Fn() -> Verdict>),
}

struct Run {
    program: OsString,
    args: Vec<String>,
    variables: Vec<(&'static str, String)>,
    directory: PathBuf,
}

impl Step {
    /// Runs cargo in the root of the workspace, with the arguments in `line`, separated by spaces.
    pub(crate) fn cargo(name: &str, line: &str) -> Self {
        Self::program(name, workspace::cargo(), line)
    }

    /// Runs a program in the root of the workspace, with the arguments in `line`, separated by spaces.
    pub(crate) fn program(name: &str, program: impl Into<OsString>, line: &str) -> Self {
        let args = line.split_ascii_whitespace().map(str::to_owned).collect();
        let directory = workspace::root();
        let run = Run { program: program.into(), args, variables: Vec::new(), directory };
        Self { name: name.to_owned(), work: Work::Run(run) }
    }

    /// Calls a function of this program.
    pub(crate) fn check(name: &str, check: impl Fn() -> Verdict + 'static) -> Self {
        Self { name: name.to_owned(), work: Work::Check(Box::new(check)) }
    }

    /// With further arguments, each passed as it is.
    pub(crate) fn args(mut self, more: &[String]) -> Self {
        if let Work::Run(run) = &mut self.work {
            run.args.extend_from_slice(more);
        }
        self
    }

    /// With an environment variable.
    pub(crate) fn variable(mut self, name: &'static str, value: impl Into<String>) -> Self {
        if let Work::Run(run) = &mut self.work {
            run.variables.push((name, value.into()));
        }
        self
    }

    /// In another directory, which is made if it is missing.
    pub(crate) fn directory(mut self, to: PathBuf) -> Self {
        if let Work::Run(run) = &mut self.work {
            run.directory = to;
        }
        self
    }

    /// The step as one can type it.
    fn command_line(&self) -> String {
        match &self.work {
            Work::Check(_) => format!("cargo xtask test {}", self.name),
            Work::Run(run) => {
                let variables = run.variables.iter();
                let variables = variables.map(|(name, value)| format!("{name}='{value}' "));
                let program = Path::new(&run.program);
                let program = if run.program == workspace::cargo() {
                    "cargo".into()
                } else {
                    program.display().to_string()
                };
                format!("{}{program} {}", variables.collect::<String>(), run.args.join(" "))
            }
        }
    }

    fn run(&self) -> Verdict {
        let run = match &self.work {
            Work::Check(check) => return check(),
            Work::Run(run) => run,
        };
        std::fs::create_dir_all(&run.directory)
            .map_err(|error| format!("cannot make {}: {error}", run.directory.display()))?;
        let mut command = Command::new(&run.program);
        command.args(&run.args).envs(run.variables.iter().map(|(name, value)| (name, value)));
        let status = command.current_dir(&run.directory).stdin(Stdio::null()).status();
        match status {
            Ok(status) if status.success() => Ok(String::new()),
            Ok(status) => Err(format!("the command above ended with {status}")),
            Err(error) => {
                Err(format!("cannot start {}: {error}", Path::new(&run.program).display()))
            }
        }
    }
}

/// Runs the steps in their order and stops at the first that fails.
pub(crate) fn run(steps: Vec<Step>) -> ExitCode {
    let start = Instant::now();
    let total = steps.len();
    for (passed, step) in steps.iter().enumerate() {
        println!("\n== {}: {}", step.name, step.command_line());
        let begun = Instant::now();
        let verdict = step.run();
        let seconds = begun.elapsed().as_secs_f64();
        match verdict {
            Ok(said) => println!("== {}: ok, {seconds:.1} s{}{said}", step.name, gap(&said)),
            Err(why) => {
                println!("== {}: FAILED after {seconds:.1} s\n{why}", step.name);
                println!("\n{} steps not run, {:.0} s", total - passed - 1, elapsed(start));
                println!("{passed} passed, 1 failed");
                return ExitCode::FAILURE;
            }
        }
    }
    println!("\nall steps in {:.0} s\n{total} passed, 0 failed", elapsed(start));
    ExitCode::SUCCESS
}

/// Runs only the steps of these names, or all if there are none.
pub(crate) fn run_named(mut steps: Vec<Step>, names: &[String]) -> ExitCode {
    if let Some(name) = names.iter().find(|name| !steps.iter().any(|step| step.name == **name)) {
        eprintln!("no step `{name}`; there are:");
        list(&steps);
        return ExitCode::from(2);
    }
    steps.retain(|step| names.is_empty() || names.contains(&step.name));
    run(steps)
}

/// Prints each step with its command.
pub(crate) fn list(steps: &[Step]) -> ExitCode {
    for step in steps {
        println!("{:<16} {}", step.name, step.command_line());
    }
    ExitCode::SUCCESS
}

fn gap(said: &str) -> &str {
    if said.is_empty() { "" } else { ": " }
}

fn elapsed(start: Instant) -> f64 {
    start.elapsed().as_secs_f64()
}
