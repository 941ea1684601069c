import { createRoot } from "react-dom/client";

import { App } from "./app";
import { ServicesProvider, makeServices } from "./context";
import "./styles.css";

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");
createRoot(root).render(
  <ServicesProvider value={makeServices()}>
    <App />
  </ServicesProvider>,
);
