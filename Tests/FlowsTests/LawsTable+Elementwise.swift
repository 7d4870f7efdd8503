import Flows
import TestSupport

let elementwiseRows: [LawsRow] = []
