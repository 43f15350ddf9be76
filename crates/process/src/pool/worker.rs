//! The loop of a worker process.

use super::call::Call;
use super::post::Post;
use super::wire::{Mail, Message, RESULT_HEAD, Status, TASK_HEAD};
use crate::Panic;
use procession_ipc::message::{self, Objects};
use procession_sys::image::{Function, Shipped};
use procession_sys::{Deadline, pid};
use serde::{Deserialize, Serialize};

/// What a worker is started with.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Seed {
    pub(super) post: Post,
    pub(super) initializer: Option<(u8, Vec<u8>)>,
    pub(super) most: Option<u64>,
    pub(super) max_memory: Option<u64>,
}

/// Runs tasks until the queue of tasks is over, or the worker has done or grown enough.
pub(super) fn work(seed: Seed) {
    if let Err(error) = run(&seed) {
        // Nobody is left to tell but the terminal.
        eprintln!("procession: worker {} of a pool: {error}", std::process::id());
    }
}

fn run(seed: &Seed) -> Result<(), procession_ipc::Error> {
    let post = &seed.post;
    let mut cache = Cache::default();
    let mut output = Vec::new();
    if let Some((format, bytes)) = &seed.initializer {
        let mail = Mail::Own { format: *format, bytes: bytes.clone() };
        let mut call =
            Call { task: 0, mail, output: Vec::new(), format: 0, objects: Objects::default() };
        cache.call(&mut call);
        if call.output.get(RESULT_HEAD - 1) != Some(&(Status::Returned as u8)) {
            return post.give_up(&failure(&call));
        }
    }
    post.be_ready();
    let mut bytes = Vec::new();
    let mut done = 0;
    while seed.most.is_none_or(|most| done < most) {
        let work = match post.get(&mut bytes, Deadline::never(), || false) {
            Ok(work) => work,
            Err(error) if error.is_closed() => return Ok(()),
            Err(error) => return Err(error),
        };
        let (task, mail) = (work.task, work.mail);
        let mut call = Call { task, mail, output, format: 0, objects: Objects::default() };
        if post.is_cancelled(task) {
            call.end(0, Status::Skipped, &());
        } else {
            cache.call(&mut call);
        }
        let result = Message { format: call.format, bytes: call.output, objects: call.objects };
        post.put(&result)?;
        output = result.bytes;
        if let Mail::Own { bytes: used, .. } = call.mail {
            bytes = used;
        }
        done += 1;
        if seed.max_memory.is_some_and(|most| pid::resident_memory() > most) {
            return Ok(());
        }
    }
    Ok(())
}

fn failure(call: &Call) -> String {
    let value = &call.output[RESULT_HEAD..];
    let text = if call.output[RESULT_HEAD - 1] == Status::Panicked as u8 {
        message::decode::<Panic>(call.format, value).map(|panic| format!("it {panic}"))
    } else {
        message::decode::<String>(call.format, value)
    };
    text.unwrap_or_else(|error| error.to_string())
}

/// The function that was called last: most pools call one.
#[derive(Default)]
struct Cache(Option<([u8; TASK_HEAD], Function)>);

impl Cache {
    fn call(&mut self, call: &mut Call) {
        match self.function(call.mail.bytes()) {
            Ok(function) => function.call(call),
            Err(reason) => call.end(0, Status::Failed, &reason),
        }
    }

    fn function(&mut self, bytes: &[u8]) -> Result<Function, String> {
        let head: &[u8; TASK_HEAD] = bytes.first_chunk().ok_or("a task without a function")?;
        if let Some((known, function)) = &self.0
            && known == head
        {
            return Ok(*function);
        }
        let function = Shipped::from_bytes(head)
            .and_then(Shipped::resolve)
            .map_err(|error| error.to_string())?;
        self.0 = Some((*head, function));
        Ok(function)
    }
}
