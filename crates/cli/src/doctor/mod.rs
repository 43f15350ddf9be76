pub(crate) fn run() -> Result<std::process::ExitCode, procession::Error> { Ok(std::process::ExitCode::SUCCESS) }
