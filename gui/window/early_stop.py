"""A training that was stopped leaves the network of its last kept epoch: the offer to go on with that one."""

from __future__ import annotations

from functools import partial

from engine.experiments import shorter, weights_key
from engine.session import Session
from gui.chrome.notice import NoticeBar
from gui.editor import Editor
from gui.jobs import JobView


def offer_early_stop(job: JobView, session: Session, editor: Editor, notices: NoticeBar) -> None:
    """Offer it for a job that was stopped, where its settings still stand and it has trained and kept a network."""
    spec = editor.spec
    if job.run is None or job.spec != spec or "epochs" not in session.tables(job.run):
        return
    done = int(session.table(job.run, "epochs").column("epoch")[-1])
    kept = (e for e in range(done, 0, -1) if session.has_artifact("weights", weights_key(shorter(spec, e))))
    epochs = next(kept, None)
    if epochs is not None and epochs < spec.training.epochs:
        fewer = shorter(spec, epochs).training
        notices.show_notice(
            f"Training was stopped after epoch {done}. The network as it was after epoch {epochs} is kept.",
            buttons=((f"Use it: {epochs} epochs", partial(editor.edit, "training", fewer, "epochs")),),
            key="stopped early",
        )
