pub(crate) fn run(_json: bool) -> Result<(), procession::Error> {
    Ok(())
}
