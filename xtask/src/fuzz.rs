//! What a fuzzer makes up, given to the floor that reads bytes from anywhere.
//!
//! The targets lie in `fuzz/`, in the layout of cargo-fuzz, but that is not needed, and neither is a nightly compiler: the
//! flags below are what it would pass, without a sanitizer, which safe code has no need of. libFuzzer comes as a crate and is
//! C++. What it finds is kept under `target/fuzz/found`, from where a run goes on; what is worth a test is copied to
//! `fuzz/corpus`, which every test run goes through.

use crate::step::{Step, Verdict};
use crate::workspace;
use std::process::{Command, Stdio};

/// What lies in `fuzz/fuzz_targets`.
const TARGETS: [&str; 4] = ["frame", "handshake", "message", "pickle"];

/// Has the compiler count which branches are taken, and show the fuzzer what is compared with what.
const FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module -Ccodegen-units=1 -Clink-dead-code \
    -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares";

/// For so long each target runs if nobody says otherwise.
const MINUTES: f64 = 1.0;
/// Longer inputs find nothing that these do not.
const LONGEST: &str = "-max_len=4096";
/// An input that takes as many seconds, or MiB, is a finding.
const LIMITS: &str = "-timeout=20 -rss_limit_mb=1024";

/// `[--minutes N] [TARGET...]`.
pub(crate) fn steps(args: &[String]) -> Result<Vec<Step>, String> {
    let mut minutes = MINUTES;
    let mut names = Vec::new();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--minutes" => {
                let number = args.next().and_then(|number| number.parse::<f64>().ok());
                minutes = number.ok_or("--minutes takes a number")?;
            }
            name => names.push(
                *TARGETS
                    .iter()
                    .find(|target| **target == name)
                    .ok_or(format!("no target `{name}`; there are {}", TARGETS.join(", ")))?,
            ),
        }
    }
    if names.is_empty() {
        names.extend(TARGETS);
    }
    let host = host()?;
    let built = workspace::target().join("fuzz");
    // A target that is named keeps the flags away from build scripts.
    let build = format!("build --release --manifest-path fuzz/Cargo.toml --target {host}");
    let mut steps = vec![
        Step::check("fuzz-compiler", compiler),
        Step::cargo("fuzz-build", &build)
            .variable("RUSTFLAGS", FLAGS)
            .variable("CARGO_TARGET_DIR", built.display().to_string()),
    ];
    for name in names {
        let program = built.join(&host).join("release").join(name);
        let corpus = workspace::root().join("fuzz/corpus").join(name);
        let seconds = minutes * 60.0;
        let line = format!("{LONGEST} {LIMITS} -print_final_stats=1 -max_total_time={seconds:.0}");
        let places = [
            format!("-artifact_prefix={}/{name}-", built.display()),
            ".".to_owned(),
            corpus.display().to_string(),
        ];
        let step = Step::program(&format!("fuzz-{name}"), program, &line).args(&places);
        steps.push(step.directory(built.join("found").join(name)));
    }
    Ok(steps)
}

/// libFuzzer is compiled with it.
fn compiler() -> Verdict {
    let name = std::env::var("CXX").unwrap_or_else(|_| "c++".into());
    let run = Command::new(&name).arg("--version").stdin(Stdio::null()).output();
    match run {
        Ok(said) if said.status.success() => {
            let said = String::from_utf8_lossy(&said.stdout);
            Ok(said.lines().next().unwrap_or_default().to_owned())
        }
        _ => Err(format!(
            "there is no C++ compiler `{name}`, and libFuzzer is C++: install g++ or clang++, or name one in CXX"
        )),
    }
}

/// The triple of this machine.
fn host() -> Result<String, String> {
    let output = Command::new("rustc").arg("-vV").stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("cannot start rustc: {error}"))?;
    let said = String::from_utf8_lossy(&output.stdout);
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or("rustc does not say which machine this is".to_owned())
}
