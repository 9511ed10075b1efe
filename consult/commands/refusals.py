"""What the parts of the program raise where they refuse something: the sentence in each says all."""

from __future__ import annotations

from typing import Final

from consult import approving, demo, proving_exports, witnessing
from consult.accounts.people import PersonRefused
from consult.audit import results as audit
from consult.audit.versions import VersionRefused
from consult.evidence import EvidenceRefused
from consult.exchange import caselines
from consult.exchange.sheets import SheetRefused
from consult.instance import InstanceRefused
from consult.lock import Held
from consult.proving import BackupRefused
from consult.record import cipher, ledger
from consult.record.database import DatabaseRefused, NotWritten
from consult.record.settings import SettingRefused
from consult.record.store import Refused

REFUSALS: Final = (
    approving.ApprovalRefused,
    audit.SelectionRefused,
    BackupRefused,
    caselines.CaseFileRefused,
    cipher.KeyRefused,
    DatabaseRefused,
    EvidenceRefused,
    demo.DemoRefused,
    proving_exports.ExportRefused,
    Held,
    InstanceRefused,
    ledger.KeyReused,
    NotWritten,
    PersonRefused,
    Refused,
    SettingRefused,
    SheetRefused,
    VersionRefused,
    witnessing.WitnessRefused,
)
