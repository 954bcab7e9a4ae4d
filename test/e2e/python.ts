/**
 * Runs a Python recipe where there is no Python: CPython as wasm, which has no sockets. Its WSGI `app` is called as a
 * server would, and what it asks of others through `urlopen` is asked for it.
 */
import { loadPyodide } from "pyodide";
import type { Delivery } from "../simulator/delivery-log.ts";

type Python = Awaited<ReturnType<typeof loadPyodide>>;
type Globals = ReturnType<Python["toPy"]>;

interface Asked {
  readonly url: string;
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** Ends at the first call that has no answer yet; what was asked is then in `asked`. */
const URLOPEN = `
import io
from urllib.error import HTTPError
answers, asked = [], []

class Unanswered(Exception):
    pass

def urlopen(request):
    asked.append([request.full_url, request.get_method(), request.headers, request.data.decode()])
    if len(asked) > len(answers):
        raise Unanswered()
    status, text = answers[len(asked) - 1]
    body = io.BytesIO(text.encode())
    if status >= 400:
        raise HTTPError(request.full_url, status, "refused", {}, body)
    return body
`;

const WSGI = `
raw = given_body.encode()
environ = {"REQUEST_METHOD": "POST", "CONTENT_LENGTH": str(len(raw)), "wsgi.input": io.BytesIO(raw)}
environ |= {"HTTP_" + name.upper().replace("-", "_"): value for name, value in given_headers.items()}
said = []
list(app(environ, lambda status, headers: said.append(status)))
said[0]
`;

export class PythonRecipe {
  readonly printed: string[];
  readonly #python: Python;
  readonly #globals: Globals;

  private constructor(python: Python, globals: Globals, printed: string[]) {
    this.#python = python;
    this.#globals = globals;
    this.printed = printed;
  }

  /** Loads it as a module, which starts no server. */
  static async load(text: string, env: Readonly<Record<string, string>>): Promise<PythonRecipe> {
    const printed: string[] = [];
    const python = await loadPyodide({ env: { HOME: "/", ...env }, stdout: (line) => printed.push(line) });
    const globals = python.toPy({ __name__: "recipe" });
    python.runPython(text, { globals });
    python.runPython(URLOPEN, { globals });
    return new PythonRecipe(python, globals, printed);
  }

  /** Runs a statement, from its beginning for each call that it makes; every call is made once. */
  async run(statement: string): Promise<void> {
    const answers: [status: number, text: string][] = [];
    for (;;) {
      this.#globals.set("answers", this.#python.toPy(answers));
      const attempt = `asked = []\ntry:\n  ${statement}\n  is_done = True\nexcept Unanswered:\n  is_done = False\nis_done`;
      if (this.#eval(attempt)) return;
      const { url, method, headers, body } = this.#lastAsked();
      const response = await fetch(url, { method, headers, body });
      answers.push([response.status, await response.text()]);
    }
  }

  /** The status line with which it answers a callback. */
  answer({ headers, body }: Pick<Delivery, "headers" | "body">): string {
    this.#globals.set("given_headers", this.#python.toPy(headers));
    this.#globals.set("given_body", body);
    return this.#eval(WSGI) as string;
  }

  #lastAsked(): Asked {
    const [url, method, headers, body] = JSON.parse(this.#eval("json.dumps(asked[-1])") as string);
    return { url, method, headers, body };
  }

  #eval(code: string): unknown {
    return this.#python.runPython(code, { globals: this.#globals });
  }
}
