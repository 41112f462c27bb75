//! `make demo`: a person watches PrivateServices become running ECS services, be updated, fail, and go. Starts a Kubernetes
//! control plane, a simulated AWS and the operator, prints every command with its real output, and ends everything again.
//!
//! Exit code 0 only if everything that was announced came true.

mod screen;
mod story;

use std::process::ExitCode;
use std::time::Instant;

#[tokio::main]
async fn main() -> ExitCode {
    let begin = Instant::now();
    let told = tokio::select! {
        told = story::tell() => told,
        // What was started ends when the story is dropped.
        _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("interrupted")),
    };
    match told {
        Ok(()) => {
            screen::say(&format!(
                "\nAll of it came true, in {:.0} seconds. Nothing is left running.",
                begin.elapsed().as_secs_f64()
            ));
            ExitCode::SUCCESS
        }
        Err(error) => {
            screen::complain(&format!("\nThis did not come true: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
