import Flows
import TestSupport

let couplingRows: [LawsRow] = []
