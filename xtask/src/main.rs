//! Every command that CI runs, and that anyone can type: `cargo xtask` lists them.
//!
//! | room | what it holds |
//! |---|---|
//! | [`plan`] | the table of steps of each command |
//! | [`step`] | running steps: what is printed, what stops |
//! | [`layering`] | no dependency goes up |
//! | [`unsafe_code`] | `unsafe` stays on the two lowest floors |
//! | [`crash_points`] | the named crash points, and whether a test kills there |
//! | [`snippets`] | what the README shows is what an example runs |
//! | [`conformance`] | CPython's own tests with procession in place |
//! | [`python`] | the Python package: environment, wheel, tests |
//! | [`fuzz`] | what a fuzzer makes up, given to `wire` |
//! | [`examples`] | the examples, and with what they are run |
//! | [`source`] | Rust files of this repository, and their code without comments and strings |
//! | [`workspace`] | what `cargo metadata` says of the workspace |
#![forbid(unsafe_code)]

mod conformance;
mod crash_points;
mod examples;
mod fuzz;
mod layering;
mod plan;
mod python;
mod snippets;
mod source;
mod step;
mod unsafe_code;
mod workspace;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask COMMAND

  test [STEP...]     everything that has to hold; or only the steps of these names
  check [STEP...]    formatting, lints, docs, layering: what needs no run
  bench [--short]    procession and its peers in one run, into docs/benchmarks.md
  bench python [--short] [--only TEXT] [--page]
                     the Python package and its peers, into the same page; --page writes it anew
  chaos [--kills N] [--seed N]
                     kill random members at random times and show what held
  tour [CHAPTER]     each chapter of the tutorial on real processes
  python [ARGS...]   build and install the Python package, run its tests with pytest ARGS
  conformance [--python P] [--start METHOD] [--group GROUP] [--only TEST]
                     CPython's own tests with procession in place, on every CPython that is found
  fuzz [--minutes N] [TARGET...]
                     give `wire` what a fuzzer makes up: frame, handshake, message, pickle; one minute each
  examples           run the examples
  snippets           compare the README with the examples
  crash-points       list the named crash points and the tests that kill there
  steps              list the steps of `test`
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (command, rest) = match args.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("help", &[][..]),
    };
    match command {
        "test" => step::run_named(plan::test(), rest),
        "check" => step::run_named(plan::check(), rest),
        "bench" => match rest.split_first() {
            Some((side, rest)) if side == "python" => step::run(python::bench(rest)),
            _ => step::run(vec![plan::bench(rest)]),
        },
        "chaos" => step::run(vec![plan::chaos(rest)]),
        "tour" => step::run(vec![plan::tour(rest)]),
        "python" => step::run(python::tests(rest)),
        "conformance" => step::run(conformance::steps(rest)),
        "fuzz" => match fuzz::steps(rest) {
            Ok(steps) => step::run(steps),
            Err(why) => {
                eprintln!("{why}");
                ExitCode::from(2)
            }
        },
        "examples" => step::run(examples::steps()),
        "snippets" => step::run(vec![plan::snippets()]),
        "crash-points" => crash_points::print(),
        "steps" => step::list(&plan::test()),
        "help" | "--help" | "-h" => {
            print!("{USAGE}");
            ExitCode::SUCCESS
        }
        other => {
            eprint!("no command `{other}`\n\n{USAGE}");
            ExitCode::from(2)
        }
    }
}
