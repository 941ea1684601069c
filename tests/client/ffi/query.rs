// query.rs SOCKET: uses the library like a Rust service. test_ffi.py runs it against a daemon whose
// user id is the token itself, and which does not answer "silence".
mod claimsd;

use claimsd::{query, Cancellation, Client, INVALID, UNAVAILABLE, VALID};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

fn receive(stream: &claimsd::Stream) -> (u64, claimsd::Answer) {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(20) {
        if let Some(completed) = stream.receive() {
            return completed;
        }
        thread::sleep(Duration::from_millis(1));
    }
    panic!("no answer")
}

fn main() {
    let socket = std::env::args().nth(1).expect("the socket's path");
    assert!(claimsd::version().contains('.'));
    assert_eq!(Client::open(&socket, 5000).err().unwrap(), "max_connections: at most 1,024");
    let client = Client::open(&socket, 4).unwrap();

    let answer = client.query(&query("user-1", "GET /worklist", None));
    assert_eq!((answer.verdict, answer.id.as_str()), (VALID, "user-1"));
    assert_eq!(answer.roles, ["rvt", "doctor"]);
    assert_eq!(answer.json, "{\"more\":true}");
    let empty = client.query(&query("", "", None));
    assert_eq!((empty.verdict, empty.reason.as_str()), (INVALID, "malformed"));

    // Another thread cancels a query, as for a dropped future.
    let cancellation = Arc::new(Cancellation::new());
    let canceler = Arc::clone(&cancellation);
    let waiter = thread::spawn(move || {
        thread::sleep(Duration::from_millis(50));
        canceler.cancel();
    });
    let start = Instant::now();
    let canceled = client.query(&query("silence", "", Some(&cancellation)));
    assert_eq!((canceled.verdict, canceled.reason.as_str()), (UNAVAILABLE, "canceled"));
    assert!(start.elapsed() < Duration::from_secs(10));
    waiter.join().unwrap();

    let stream = Arc::new(client.stream());
    drop(client.clone());
    drop(client); // the stream has its own reference
    stream.send(&query("silence", "", None), 1);
    stream.send(&query("user-2", "", None), 2);
    let (tag, answer) = receive(&stream);
    assert_eq!((tag, answer.id.as_str()), (2, "user-2"));
    let other = Arc::clone(&stream);
    assert!(thread::spawn(move || other.cancel(1)).join().unwrap());
    let (tag, answer) = receive(&stream);
    assert_eq!((tag, answer.reason.as_str()), (1, "canceled"));
    println!("all right");
}
