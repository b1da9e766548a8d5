import { Component, type ReactNode } from "react";

import { LoadingPage, MessagePage } from "../components/Page";
import { type OwnAccount, useLogin } from "../hooks/useLogin";
import { useLinkToken } from "../hooks/useLinkToken";
import { type Route, follow, useRoute } from "../hooks/useRoute";
import { texts } from "../i18n/texts";
import type { User } from "../protocol/resources";
import { HealthPage } from "./HealthPage";
import { JoinPage } from "./JoinPage";
import { PasswordPage } from "./PasswordPage";
import { PeoplePage } from "./PeoplePage";
import { problemText } from "./problemText";
import { SessionsPage } from "./SessionsPage";
import { SetupPage } from "./SetupPage";
import { SignIn } from "./SignIn";
import { StartPage } from "./StartPage";
import { VideoCallPage } from "./VideoCallPage";

export function App() {
  const { login, signIn, setUp, join, expired, retry, ...account } = useLogin();
  const route = useRoute();
  const token = useLinkToken();
  switch (login.kind) {
    case "loading":
      return <LoadingPage />;
    case "unreachable":
      return (
        <MessagePage title={texts.crashed.title} text={problemText(login.error)}>
          <button type="button" className="button button-primary button-large" onClick={retry}>
            {texts.tryAgain}
          </button>
        </MessagePage>
      );
    case "signed-out":
      if (route.page === "setup") return <SetupPage key={token} token={token} onSetUp={setUp} />;
      return route.page === "join" ? <JoinPage key={token} token={token} user={null} onJoin={join} /> : <SignIn onSignIn={signIn} />;
    case "one-time-password":
      return <PasswordPage user={login.user} onChoose={account.choosePassword} onSignOut={() => void account.signOut()} />;
    case "signed-in":
      if (route.page === "setup") return <SetupPage key={token} token={token} onSetUp={setUp} />;
      if (route.page === "join") return <JoinPage key={token} token={token} user={login.user} onJoin={join} />;
      return <SignedIn key={login.user.id} user={login.user} route={route} account={account} onExpired={expired} />;
  }
}

interface SignedInProps {
  readonly user: User;
  readonly route: Exclude<Route, { readonly page: "join" | "setup" }>;
  readonly account: OwnAccount;
  readonly onExpired: () => void;
}

function SignedIn({ user, route, account, onExpired }: SignedInProps) {
  switch (route.page) {
    case "sessions":
      return <SessionsPage user={user} account={account} onExpired={onExpired} />;
    case "video-call":
      return <VideoCallPage key={route.session} sessionId={route.session} user={user} onExpired={onExpired} />;
    case "people":
      return user.role === "admin" ? <PeoplePage user={user} account={account} onExpired={onExpired} /> : <NotFound />;
    case "start":
      return user.role === "admin" ? <StartPage user={user} account={account} /> : <NotFound />;
    case "health":
      if (user.role === "admin") return <HealthPage user={user} account={account} onExpired={onExpired} />;
      return <NotFound />;
    case "not-found":
      return <NotFound />;
  }
}

function NotFound() {
  return (
    <MessagePage {...texts.notFound}>
      <a className="button button-primary button-large" href="/" onClick={follow}>
        {texts.backToSessions}
      </a>
    </MessagePage>
  );
}

/** A defect of ours shows a way out instead of an empty page. */
export class CrashGuard extends Component<{ readonly children: ReactNode }, { readonly crashed: boolean }> {
  override state = { crashed: false };

  static getDerivedStateFromError() {
    return { crashed: true };
  }

  override render() {
    if (!this.state.crashed) return this.props.children;
    return (
      <MessagePage {...texts.crashed}>
        <button type="button" className="button button-primary button-large" onClick={() => location.reload()}>
          {texts.end.reload}
        </button>
      </MessagePage>
    );
  }
}
