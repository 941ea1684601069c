// claimsd.rs: a binding of claimsd.h, written by hand.
#![allow(dead_code)]
use std::ffi::{CStr, CString};
use std::os::raw::{c_char, c_int};
use std::ptr;

pub const VALID: c_int = 0;
pub const INVALID: c_int = 1;
pub const UNAVAILABLE: c_int = 2;
pub const AGAIN: c_int = 3;
pub const OK: c_int = 8;
pub const ANY_AGE: u32 = u32::MAX;
pub const ANY_TRUSTED_UID: u32 = u32::MAX;
const NUL_TERMINATED: usize = usize::MAX;

#[repr(C)]
struct Options {
    size: usize,
    socket_path: *const c_char,
    upstream_url: *const c_char,
    client_name: *const c_char,
    timeout_ms: u32,
    max_connections: u32,
    daemon_uid: u32,
    flags: u32,
    local_entries: u32,
    reserved: u32,
}

#[repr(C)]
pub struct Query {
    size: usize,
    token: *const u8,
    token_size: usize,
    pub timeout_ms: u32,
    pub max_age_ms: u32,
    client_address: *const u8,
    trace_id: *const u8,
    route: *const u8,
    client_address_size: usize,
    trace_id_size: usize,
    route_size: usize,
    cancellation: *mut RawCancellation,
}

#[repr(C)]
struct RawView {
    size: usize,
    verdict: c_int,
    source: c_int,
    age_ms: u32,
    ttl_ms: u32,
    retry_after_ms: u32,
    role_count: u32,
    reason: *const u8,
    reason_size: usize,
    text: *const u8,
    text_size: usize,
    id: *const u8,
    id_size: usize,
    email: *const u8,
    email_size: usize,
    json: *const u8,
    json_size: usize,
    roles: *const u8,
    roles_size: usize,
}

pub enum RawHandle {}
pub enum RawAnswer {}
pub enum RawStream {}
pub enum RawCancellation {}

#[link(name = "claimsd")]
extern "C" {
    fn claimsd_version() -> *const c_char;
    fn claimsd_open(options: *const Options, out: *mut *mut RawHandle, problem: *mut *const c_char) -> c_int;
    fn claimsd_retain(handle: *mut RawHandle) -> *mut RawHandle;
    fn claimsd_close(handle: *mut RawHandle);
    fn claimsd_query(handle: *mut RawHandle, query: *const Query, out: *mut *mut RawAnswer) -> c_int;
    fn claimsd_read_answer(answer: *const RawAnswer, view: *mut RawView) -> c_int;
    fn claimsd_answer_free(answer: *mut RawAnswer);
    fn claimsd_cancellation_create(out: *mut *mut RawCancellation) -> c_int;
    fn claimsd_cancel(cancellation: *mut RawCancellation);
    fn claimsd_cancellation_free(cancellation: *mut RawCancellation);
    fn claimsd_stream_open(handle: *mut RawHandle, out: *mut *mut RawStream) -> c_int;
    fn claimsd_stream_close(stream: *mut RawStream);
    fn claimsd_stream_send(stream: *mut RawStream, query: *const Query, tag: u64) -> c_int;
    fn claimsd_stream_receive(stream: *mut RawStream, tag: *mut u64, out: *mut *mut RawAnswer) -> c_int;
    fn claimsd_stream_cancel(stream: *mut RawStream, tag: u64) -> c_int;
}

pub fn version() -> &'static str {
    unsafe { CStr::from_ptr(claimsd_version()) }.to_str().unwrap()
}

// A copy of an answer.
#[derive(Debug, PartialEq)]
pub struct Answer {
    pub verdict: c_int,
    pub reason: String,
    pub id: String,
    pub roles: Vec<String>,
    pub json: String,
}

fn text(data: *const u8, size: usize) -> String {
    String::from_utf8(unsafe { std::slice::from_raw_parts(data, size) }.to_vec()).unwrap()
}

fn take(answer: *mut RawAnswer) -> Answer {
    let mut view: RawView = unsafe { std::mem::zeroed() };
    view.size = std::mem::size_of::<RawView>();
    assert_eq!(unsafe { claimsd_read_answer(answer, &mut view) }, OK);
    let roles = text(view.roles, view.roles_size);
    let copied = Answer {
        verdict: view.verdict,
        reason: text(view.reason, view.reason_size),
        id: text(view.id, view.id_size),
        roles: roles.split_terminator('\0').map(str::to_owned).collect(),
        json: text(view.json, view.json_size),
    };
    assert_eq!(copied.roles.len(), view.role_count as usize);
    unsafe { claimsd_answer_free(answer) };
    copied
}

// A reference to a handle. Clones may be dropped in any order, on any thread.
pub struct Client(*mut RawHandle);
unsafe impl Send for Client {}
unsafe impl Sync for Client {}

impl Client {
    pub fn open(socket: &str, max_connections: u32) -> Result<Client, String> {
        let path = CString::new(socket).unwrap();
        let options = Options {
            size: std::mem::size_of::<Options>(),
            socket_path: path.as_ptr(),
            upstream_url: ptr::null(),
            client_name: ptr::null(),
            timeout_ms: 20_000,
            max_connections,
            daemon_uid: ANY_TRUSTED_UID,
            flags: 0,
            local_entries: 0,
            reserved: 0,
        };
        let mut handle = ptr::null_mut();
        let mut problem = ptr::null();
        match unsafe { claimsd_open(&options, &mut handle, &mut problem) } {
            OK => Ok(Client(handle)),
            _ => Err(unsafe { CStr::from_ptr(problem) }.to_str().unwrap().to_owned()),
        }
    }

    pub fn query(&self, query: &Query) -> Answer {
        let mut answer = ptr::null_mut();
        let verdict = unsafe { claimsd_query(self.0, query, &mut answer) };
        let copied = take(answer);
        assert_eq!(copied.verdict, verdict);
        copied
    }

    pub fn stream(&self) -> Stream {
        let mut stream = ptr::null_mut();
        assert_eq!(unsafe { claimsd_stream_open(self.0, &mut stream) }, OK);
        Stream(stream)
    }
}

impl Clone for Client {
    fn clone(&self) -> Client {
        Client(unsafe { claimsd_retain(self.0) })
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        unsafe { claimsd_close(self.0) }
    }
}

// Texts have sizes: a Rust string has no NUL, and an empty one no memory.
pub fn query(token: &str, route: &str, cancellation: Option<&Cancellation>) -> Query {
    Query {
        size: std::mem::size_of::<Query>(),
        token: token.as_ptr(),
        token_size: token.len(),
        timeout_ms: 0,
        max_age_ms: ANY_AGE,
        client_address: ptr::null(),
        trace_id: ptr::null(),
        route: route.as_ptr(),
        client_address_size: NUL_TERMINATED,
        trace_id_size: 0,
        route_size: route.len(),
        cancellation: cancellation.map_or(ptr::null_mut(), |one| one.0),
    }
}

pub struct Cancellation(*mut RawCancellation);
unsafe impl Send for Cancellation {}
unsafe impl Sync for Cancellation {}

impl Cancellation {
    pub fn new() -> Cancellation {
        let mut made = ptr::null_mut();
        assert_eq!(unsafe { claimsd_cancellation_create(&mut made) }, OK);
        Cancellation(made)
    }
    pub fn cancel(&self) {
        unsafe { claimsd_cancel(self.0) }
    }
}

impl Drop for Cancellation {
    fn drop(&mut self) {
        unsafe { claimsd_cancellation_free(self.0) }
    }
}

pub struct Stream(*mut RawStream);
unsafe impl Send for Stream {}
unsafe impl Sync for Stream {}

impl Stream {
    pub fn send(&self, query: &Query, tag: u64) {
        assert_eq!(unsafe { claimsd_stream_send(self.0, query, tag) }, OK);
    }
    pub fn cancel(&self, tag: u64) -> bool {
        unsafe { claimsd_stream_cancel(self.0, tag) == OK }
    }
    pub fn receive(&self) -> Option<(u64, Answer)> {
        let mut tag = 0;
        let mut answer = ptr::null_mut();
        match unsafe { claimsd_stream_receive(self.0, &mut tag, &mut answer) } {
            AGAIN => None,
            _ => Some((tag, take(answer))),
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        unsafe { claimsd_stream_close(self.0) }
    }
}
