//! Waiting for a condition instead of for time. In: a deadline and a question that may fail for now. Out: its answer, or the
//! last reason why there was none. No IO of its own.

use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use tokio::time::{Instant, sleep, timeout_at};

/// Pause between two attempts. Short enough not to show in a test's duration, long enough to leave the CPU to what is waited for.
const PAUSE: Duration = Duration::from_millis(100);

/// Asks until the answer is `Ok`, for at most `deadline`.
///
/// `what` completes the sentence "gave up waiting for ...". An attempt that hangs is cut off at the deadline.
///
/// # Errors
/// The last error of `attempt`, under a line that names `what` and the time spent.
pub async fn eventually<T, F>(deadline: Duration, what: &str, mut attempt: F) -> Result<T>
where
    F: AsyncFnMut() -> Result<T>,
{
    let end = Instant::now() + deadline;
    let mut last = anyhow!("the first attempt did not come back");
    loop {
        match timeout_at(end, attempt()).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => last = error,
            Err(_) => {}
        }
        if Instant::now() + PAUSE >= end {
            return Err(last)
                .with_context(|| format!("gave up waiting for {what} after {deadline:?}"));
        }
        sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn answers_as_soon_as_there_is_an_answer() {
        let mut attempts = 0;
        let answer = eventually(Duration::from_secs(5), "the third attempt", async || {
            attempts += 1;
            if attempts < 3 {
                Err(anyhow!("attempt {attempts}"))
            } else {
                Ok(attempts)
            }
        })
        .await;
        assert_eq!(answer.unwrap(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn says_what_it_waited_for_and_why_in_vain() {
        let error = eventually(
            Duration::from_secs(1),
            "the moon",
            async || -> Result<()> { Err(anyhow!("it is cloudy")) },
        )
        .await
        .unwrap_err();
        let chain = format!("{error:#}");
        assert!(
            chain.contains("the moon") && chain.contains("it is cloudy"),
            "{chain}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_that_hangs_is_cut_off() {
        let error = eventually(
            Duration::from_secs(1),
            "nothing",
            std::future::pending::<Result<()>>,
        )
        .await
        .unwrap_err();
        assert!(format!("{error:#}").contains("did not come back"));
    }
}
