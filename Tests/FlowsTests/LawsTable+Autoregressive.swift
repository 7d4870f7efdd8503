import Flows
import TestSupport

let autoregressiveRows: [LawsRow] = []
