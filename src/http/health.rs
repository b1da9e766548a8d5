//! `/api/admin/health/`: what `visavis doctor` finds, from within the daemon.

use hyper::StatusCode;

use super::problem::Problem;
use super::request::ApiRequest;
use super::{Answer, Http, json};
use crate::proto::signal::Role;

impl Http {
    /// `GET health/`, for admins. One examination at a time; what was found a moment ago is told again.
    pub(super) async fn health(&self, request: ApiRequest) -> Result<Answer, Problem> {
        let login = self.login(&request).await?;
        if login.user.role != Role::Admin {
            return Err(Problem::new(StatusCode::FORBIDDEN, "forbidden_role", "only admins may examine the box"));
        }
        Ok(json(StatusCode::OK, &*self.doctor.report().await))
    }
}
