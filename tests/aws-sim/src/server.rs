//! HTTP/1.1 in front of the simulator. In: connections on a loopback address. Out: answers; a lost
//! answer is a connection closed without one. Does IO.

use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming as Body};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::admin;
use crate::answer::Answer;
use crate::clock::ClockKind;
use crate::exchange::{self, Incoming};
use crate::simulator::Simulator;

/// How often, in real time, a simulator under a real clock is brought up to date without requests.
const TICK_EVERY: Duration = Duration::from_millis(100);

/// A running server; dropping it stops accepting connections.
#[derive(Debug)]
pub struct Server {
    /// `http://127.0.0.1:<port>`
    pub url: String,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Server {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// The error that makes the connection close without an answer.
#[derive(Debug)]
struct LostAnswer;

impl std::fmt::Display for LostAnswer {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("the answer is lost on purpose")
    }
}

impl std::error::Error for LostAnswer {}

/// Serves the simulator; port 0 takes a free one.
///
/// # Errors
/// If the address is not a loopback one, or cannot be bound.
pub async fn serve(simulator: Simulator, address: SocketAddr) -> std::io::Result<Server> {
    if !address.ip().is_loopback() {
        return Err(std::io::Error::other(
            "the simulator listens on loopback addresses only",
        ));
    }
    let listener = TcpListener::bind(address).await?;
    let url = format!("http://{}", listener.local_addr()?);
    let mut tasks = Vec::new();
    if matches!(simulator.inner.clock.kind(), ClockKind::Real { .. }) {
        let simulator = simulator.clone();
        tasks.push(tokio::spawn(async move {
            loop {
                tokio::time::sleep(TICK_EVERY).await;
                simulator.settle().await;
            }
        }));
    }
    tasks.push(tokio::spawn(accept(listener, simulator)));
    Ok(Server { url, tasks })
}

async fn accept(listener: TcpListener, simulator: Simulator) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, most likely: give connections time to close.
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let simulator = simulator.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let simulator = simulator.clone();
                async move { answer(&simulator, request).await }
            });
            // Errors here are clients that went away, and answers lost on purpose.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer(
    simulator: &Simulator,
    request: Request<Body>,
) -> Result<Response<Full<Bytes>>, LostAnswer> {
    let (parts, body) = request.into_parts();
    let body = body
        .collect()
        .await
        .map_err(|_| LostAnswer)?
        .to_bytes()
        .to_vec();
    let path_and_query = parts
        .uri
        .path_and_query()
        .map_or_else(|| "/".to_owned(), |path| path.as_str().to_owned());
    let incoming = Incoming {
        method: parts.method,
        path_and_query,
        headers: parts.headers,
        body,
    };
    let answer = if parts.uri.path().starts_with("/_sim/") {
        admin::answer(simulator, &incoming).await
    } else {
        exchange::exchange(simulator, incoming)
            .await
            .ok_or(LostAnswer)?
    };
    Ok(response(answer))
}

fn response(answer: Answer) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(answer.body)));
    *response.status_mut() =
        hyper::StatusCode::from_u16(answer.status).unwrap_or(hyper::StatusCode::BAD_GATEWAY);
    for (name, value) in answer.headers {
        response.headers_mut().insert(name, value);
    }
    response
}
