//! `/api/mentoring/`: mentors and mentoring sessions.

use hyper::StatusCode;
use serde::Deserialize;
use serde_json::json as object;

use super::problem::Problem;
use super::request::ApiRequest;
use super::{Answer, Http, json, view};
use crate::mentoring;
use crate::proto::id::UserId;

#[derive(Deserialize)]
struct NewSession {
    mentor_id: Option<UserId>,
    student_id: Option<UserId>,
    topic: String,
}

impl Http {
    /// `GET mentors/`.
    pub(super) async fn mentors(&self, request: ApiRequest) -> Result<Answer, Problem> {
        let login = self.login(&request).await?;
        let mentors = self.mentoring.mentors(&login.user).await?;
        Ok(json(StatusCode::OK, &object!({ "mentors": mentors })))
    }

    /// `GET students/`.
    pub(super) async fn students(&self, request: ApiRequest) -> Result<Answer, Problem> {
        let login = self.login(&request).await?;
        let students = self.mentoring.students(&login.user).await?;
        Ok(json(StatusCode::OK, &object!({ "students": students })))
    }

    /// `GET sessions/`.
    pub(super) async fn list_sessions(&self, request: ApiRequest) -> Result<Answer, Problem> {
        let login = self.login(&request).await?;
        let sessions = self.mentoring.sessions(&login.user).await?;
        let sessions: Vec<_> = sessions.iter().map(view::session).collect();
        Ok(json(StatusCode::OK, &object!({ "sessions": sessions })))
    }

    /// `POST sessions/`: a student requests one from `mentor_id`, a mentor arranges one with `student_id`, an admin one for both.
    pub(super) async fn request_session(&self, request: ApiRequest) -> Result<Answer, Problem> {
        let login = self.login(&request).await?;
        let new: NewSession = request.json().await?;
        let session = match new.student_id {
            Some(student) => self.mentoring.arrange(&login.user, new.mentor_id, student, &new.topic).await?,
            None => {
                let mentor = new.mentor_id.ok_or_else(|| Problem::invalid_field("mentor_id: choose one of the mentors"))?;
                self.mentoring.request(&login.user, mentor, &new.topic).await?
            }
        };
        log::info!(event = "session_made", session:% = session.id; "a session was requested or arranged");
        Ok(json(StatusCode::CREATED, &view::session(&session)))
    }

    /// `POST sessions/{id}/accept/` and `decline/`.
    pub(super) async fn answer_session(&self, request: ApiRequest, id: &str, answer: &str) -> Result<Answer, Problem> {
        let login = self.login(&request).await?;
        let id = id.parse().map_err(|_| Problem::not_found())?;
        let answer = if answer == "accept" { mentoring::Answer::Accept } else { mentoring::Answer::Decline };
        let session = self.mentoring.answer(&login.user, id, answer).await?;
        log::info!(event = "session_answered", session:% = session.id; "a mentor answered a request");
        Ok(json(StatusCode::OK, &view::session(&session)))
    }
}
