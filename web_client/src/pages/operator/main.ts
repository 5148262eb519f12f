import { operator } from '../../locales/operator'
import { mountPage } from '../../shared/page'
import OperatorPage from './OperatorPage.vue'

void mountPage(OperatorPage, operator, true)
