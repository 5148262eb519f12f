import { mountPage } from '../../shared/page'
import ClassroomPage from './ClassroomPage.vue'

mountPage(ClassroomPage)
