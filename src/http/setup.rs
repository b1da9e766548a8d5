//! `/api/setup/`: the first admin of a box, by the set-up link.

use std::net::IpAddr;

use hyper::StatusCode;
use serde::Deserialize;
use serde_json::json as object;

use super::auth::signed_in;
use super::problem::Problem;
use super::request::ApiRequest;
use super::{Answer, Http, json, no_content, view};
use crate::accounts::{DisplayName, InvalidName, InvalidPassword, NewPassword, SetUpError, Username};

#[derive(Deserialize)]
struct Link {
    token: String,
}

#[derive(Deserialize)]
struct FirstAdmin {
    token: String,
    username: String,
    display_name: String,
    password: String,
}

impl Http {
    /// `GET setup/`: whether there is no admin yet.
    pub(super) async fn setup_needed(&self) -> Result<Answer, Problem> {
        Ok(json(StatusCode::OK, &object!({ "needed": self.setup.is_needed().await? })))
    }

    /// `POST setup/link/`: whether a set-up link is the one of this box; it stays unused.
    pub(super) async fn prove_setup_link(&self, source: IpAddr, request: ApiRequest) -> Result<Answer, Problem> {
        let Link { token } = request.json().await?;
        self.setup.prove(&token, source).await?;
        Ok(no_content())
    }

    /// `POST setup/`: makes the first admin and signs them in.
    pub(super) async fn set_up(&self, source: IpAddr, request: ApiRequest) -> Result<Answer, Problem> {
        let FirstAdmin { token, username, display_name, password } = request.json().await?;
        let names = (username_of(&username)?, display_name_of(&display_name)?);
        let (login, user) = self.setup.set_up(&token, names, password_of(&password)?, source).await?;
        log::info!(event = "set_up", user:% = user.id; "the box has its first admin");
        Ok(signed_in(json(StatusCode::CREATED, &object!({ "user": view::user(&user) })), &login))
    }
}

pub(super) fn username_of(text: &str) -> Result<Username, Problem> {
    text.parse().map_err(|invalid: InvalidName| Problem::invalid_field(format!("username: {invalid}")))
}

pub(super) fn display_name_of(text: &str) -> Result<DisplayName, Problem> {
    text.parse().map_err(|_| Problem::invalid_field("display_name: give a name of 1 to 64 characters"))
}

pub(super) fn password_of(text: &str) -> Result<NewPassword, Problem> {
    text.parse().map_err(|invalid: InvalidPassword| Problem::invalid_field(format!("password: {invalid}")))
}

impl From<SetUpError> for Problem {
    fn from(error: SetUpError) -> Self {
        let detail = error.to_string();
        match error {
            SetUpError::AlreadySetUp => Self::new(StatusCode::GONE, "already_set_up", detail),
            SetUpError::Void => Self::new(StatusCode::NOT_FOUND, "setup_link_void", detail),
            SetUpError::TooManyAttempts { retry_after } => {
                Self::later(StatusCode::TOO_MANY_REQUESTS, "too_many_attempts", detail, retry_after)
            }
            SetUpError::File { .. } => {
                log::error!(event = "setup_link_failed", cause = detail.as_str(); "the set-up link cannot be used");
                Self::internal()
            }
            SetUpError::Account(error) => error.into(),
        }
    }
}
