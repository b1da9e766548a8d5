import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/controls.css";
import "./styles/pages.css";
import "./styles/header.css";
import "./styles/sessions.css";
import "./styles/accounts.css";
import "./styles/health.css";
import "./styles/preview.css";
import "./styles/stage.css";
import "./styles/grid.css";
import "./styles/call.css";
import "./styles/people.css";
import "./styles/invite.css";

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { App, CrashGuard } from "./views/App";

const root = document.getElementById("root");
if (root === null) throw new Error("index.html lacks #root");
createRoot(root).render(
  <StrictMode>
    <CrashGuard>
      <App />
    </CrashGuard>
  </StrictMode>,
);
